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
	for {
		if err := ctx.Err(); err != nil {
			return ch.endOr(err)
		}
		sent, put, room, err := ch.trySend(piece, more)
		if err != nil {
			return err
		}
		if sent {
			put.wait(ctx)
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

// TrySend is Send without a wait: data that would be written from where they stand
// are waited for.
func (ch *channel) TrySend(p Payload) (bool, error) {
	if p.size() > ch.c.cfg.MaxPayload || len(p.Data) >= asideFrom {
		return false, nil
	}
	whole := pieces{left: p, max: ch.c.cfg.Fragment}
	piece, more := whole.next(0)
	if more {
		return false, nil
	}
	sent, _, _, err := ch.trySend(piece, false)
	return sent, err
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
func (ch *channel) trySend(p Payload, more bool) (sent bool, put *aside, room <-chan struct{}, err error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.sendDone || ch.closing {
		return false, nil, nil, ch.sendError()
	}
	if ch.credit == 0 || ch.cutting {
		return false, nil, nil, nil
	}
	b, room := ch.c.w.try(p)
	if b == nil {
		if room == nil { // the writer has stopped; the read loop is about to tell this channel
			room = ch.c.ctx.Done()
		}
		return false, nil, room, nil
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
	put = ch.c.w.endWith(frame.AppendPayload(b, ch.id, flags, p.Metadata, nil), p.Data, with)
	if ch.credit > 0 {
		ch.canSend.signal(ch.c) // for whoever else waits
	}
	return true, put, nil, nil
}

// sendRest sends the fragments behind the first.
func (ch *channel) sendRest(ctx context.Context, rest *pieces) error {
	for {
		p, more := rest.next(0)
		if err := ch.sendNext(ctx, p, more); err != nil || !more {
			return err
		}
	}
}

// sendNext sends one of them when there is room.
func (ch *channel) sendNext(ctx context.Context, p Payload, more bool) error {
	for {
		put, room, err := ch.trySendNext(p, more)
		if room == nil {
			put.wait(ctx)
			return err
		}
		select {
		case <-room:
		case <-ctx.Done():
			ch.Cancel()
			return ctx.Err()
		}
	}
}

func (ch *channel) trySendNext(p Payload, more bool) (put *aside, room <-chan struct{}, err error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.sendDone {
		return nil, nil, ch.sendError()
	}
	b, room := ch.c.w.try(p)
	if b == nil {
		if room == nil {
			room = ch.c.ctx.Done()
		}
		return nil, room, nil
	}
	flags := frame.FlagNext
	if more {
		flags |= frame.FlagFollows
	}
	put = ch.c.w.endWith(frame.AppendPayload(b, ch.id, flags, p.Metadata, nil), p.Data, others)
	if more {
		return put, nil, nil
	}
	ch.cutting = false
	ch.canSend.signal(ch.c)
	if ch.closing {
		ch.c.sendComplete(ch.id)
		ch.endSend(nil)
	}
	return put, nil, nil
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
