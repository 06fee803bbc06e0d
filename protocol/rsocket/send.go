package rsocket

import (
	"context"
	"io"

	"warmline.dev/protocol/rsocket/frame"
)

func (ch *channel) Send(ctx context.Context, p Payload) error {
	if p.size() > ch.c.cfg.MaxPayload {
		return ch.c.tooLarge(p)
	}
	rest := pieces{left: p, max: ch.c.cfg.Fragment}
	piece, more := rest.next(0)
	size := frame.PayloadSize(piece.Metadata, piece.Data)
	for {
		if err := ctx.Err(); err != nil {
			return ch.endOr(err)
		}
		sent, room, err := ch.trySend(piece, size, more)
		if err != nil {
			return err
		}
		if sent {
			if more {
				return ch.sendRest(ctx, &rest)
			}
			return nil
		}
		if err := ch.waitToSend(ctx, room); err != nil {
			return ch.endOr(err)
		}
	}
}

// endOr returns why this half has ended, and err if it has not: what ends a
// channel ends its handler's context too, and tells more.
func (ch *channel) endOr(err error) error {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.sendDone {
		return ch.sendError()
	}
	return err
}

// waitToSend waits for room, or if that is nil for credit.
func (ch *channel) waitToSend(ctx context.Context, room <-chan struct{}) error {
	if room != nil {
		select {
		case <-room:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ch.canSend.wait(ctx, ch.c, &ch.mu, func() bool {
		return ch.sendDone || ch.closing || ch.credit > 0 && !ch.cutting
	})
}

// trySend sends the first piece of an item if there is credit and room.
func (ch *channel) trySend(p Payload, size int, more bool) (sent bool, room <-chan struct{}, err error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.sendDone || ch.closing {
		return false, nil, ch.sendError()
	}
	if ch.credit == 0 || ch.cutting {
		return false, nil, nil
	}
	b, room := ch.c.w.try(size)
	if b == nil {
		if room == nil { // the writer has stopped; the read loop is about to tell this channel
			room = ch.c.ctx.Done()
		}
		return false, room, nil
	}
	ch.credit--
	flags := frame.FlagNext
	if more {
		flags |= frame.FlagFollows
		ch.cutting = true
	}
	with := others // of the answers to what waits to be received
	if ch.items.len() == 0 {
		with = maybe
	}
	ch.c.w.endWith(frame.AppendPayload(b, ch.id, flags, p.Metadata, p.Data), with)
	if ch.credit > 0 {
		ch.canSend.signal(ch.c) // for whoever else waits
	}
	return true, nil, nil
}

// sendRest sends the fragments behind the first.
func (ch *channel) sendRest(ctx context.Context, rest *pieces) error {
	for {
		room, done, err := ch.trySendRest(rest)
		if done {
			return err
		}
		if room == nil {
			continue
		}
		select {
		case <-room:
		case <-ctx.Done():
			ch.Cancel()
			return ctx.Err()
		}
	}
}

// trySendRest sends one fragment if there is room.
func (ch *channel) trySendRest(rest *pieces) (room <-chan struct{}, done bool, err error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.sendDone {
		return nil, true, ch.sendError()
	}
	b, room := ch.c.w.try(ch.c.cfg.Fragment)
	if b == nil {
		if room == nil {
			room = ch.c.ctx.Done()
		}
		return room, false, nil
	}
	p, more := rest.next(0)
	flags := frame.FlagNext
	if more {
		flags |= frame.FlagFollows
	}
	ch.c.w.end(frame.AppendPayload(b, ch.id, flags, p.Metadata, p.Data))
	if more {
		return nil, false, nil
	}
	ch.cutting = false
	ch.canSend.signal(ch.c)
	if ch.closing {
		ch.c.sendComplete(ch.id)
		ch.endSend(nil)
	}
	return nil, true, nil
}

func (ch *channel) sendError() error {
	if ch.sendErr != nil {
		return ch.sendErr
	}
	return io.ErrClosedPipe
}

func (ch *channel) CloseSend() error {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	switch {
	case ch.sendDone:
		return ch.sendErr
	case ch.cutting:
		ch.closing = true
		ch.canSend.signalAll(ch.c) // those who wait behind it are too late
	default:
		ch.c.sendComplete(ch.id)
		ch.endSend(nil)
	}
	return nil
}
