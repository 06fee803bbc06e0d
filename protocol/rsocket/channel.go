package rsocket

import (
	"context"
	"fmt"
	"io"
	"math"
	"sync"

	"warmline.dev/protocol/rsocket/frame"
)

// Channel is one request-channel stream. Its two halves complete separately:
// CloseSend ends the one, io.EOF from Recv is the end of the other. All methods
// may be called by many goroutines at once; items sent by one goroutine arrive
// in their order.
//
// The side that opened it must either see both halves end or call Cancel.
type Channel struct {
	// immutable once the stream is registered
	c         *Conn
	requester bool
	id        uint32

	mu sync.Mutex
	// guarded by mu
	credit   int64 // items the peer still takes
	sendDone bool  // our half has ended
	sendErr  error // why, if not by CloseSend

	queue    []Payload // arrived, waiting for Recv
	quota    int       // items the peer may still send
	taken    int       // items that Recv took and that were not granted again
	recvDone bool      // the peer's half has ended
	recvErr  error     // why, if it did not complete

	over      bool          // both halves have ended and the stream is off the table
	canSend   chan struct{} // one signal, cap 1: credit came or the half ended
	canRecv   chan struct{} // one signal, cap 1: an item came or the half ended
	onOver    func()        // responder: ends the handler's context
	unreadNow int           // bytes in queue
}

// OpenChannel opens a request-channel with its first payload, which needs no
// credit. It waits only for room to send the request; ctx does not bind the
// channel later.
func (c *Conn) OpenChannel(ctx context.Context, first Payload) (*Channel, error) {
	ch := newChannel(c, true)
	ch.quota = c.cfg.Window
	// The lock keeps the read loop out until the id is known here.
	ch.mu.Lock()
	defer ch.mu.Unlock()
	id, err := c.start(ctx, ch, frame.PayloadSize(first.Metadata, first.Data), func(dst []byte, id uint32) []byte {
		return frame.AppendRequestMany(dst, id, frame.TypeRequestChannel, 0, uint32(c.cfg.Window), first.Metadata, first.Data)
	})
	if err != nil {
		return nil, err
	}
	ch.id = id
	return ch, nil
}

func newChannel(c *Conn, requester bool) *Channel {
	return &Channel{
		c: c, requester: requester,
		canSend: make(chan struct{}, 1), canRecv: make(chan struct{}, 1),
	}
}

func (c *Conn) acceptChannel(f *frame.Frame) {
	ctx, cancel := context.WithCancel(c.ctx)
	ch := newChannel(c, false)
	ch.id = f.StreamID
	ch.credit = int64(f.N)
	ch.onOver = cancel
	first := own(f.Metadata, f.Data)
	ch.queue = append(ch.queue, first)
	ch.unreadNow = first.size()
	c.unread.Add(int64(first.size()))
	ch.recvDone = f.Has(frame.FlagComplete)
	if !ch.recvDone {
		ch.quota = c.cfg.Window
		ch.taken = -1 // the first item came without credit, so taking it gives none back
	}
	signal(ch.canRecv)
	c.put(f.StreamID, ch)
	if !ch.recvDone {
		if b := c.w.force(); b != nil {
			c.w.end(frame.AppendRequestN(b, ch.id, uint32(c.cfg.Window)))
		}
	}
	c.wg.Go(func() {
		defer c.leave()
		defer cancel()
		err := c.handler.Channel(ctx, ch)
		ch.release(err)
	})
}

// release ends what the responder's handler left open.
func (ch *Channel) release(err error) {
	ch.mu.Lock()
	if !ch.over {
		switch {
		case err != nil:
			ch.c.sendError(ch.id, asError(err))
		default:
			if !ch.sendDone {
				if b := ch.c.w.force(); b != nil {
					ch.c.w.end(frame.AppendPayload(b, ch.id, frame.FlagComplete, nil, nil))
				}
			}
			if !ch.recvDone {
				ch.sendCancel()
			}
		}
	}
	ch.endBoth(ErrCanceled)
	ch.discard()
	ch.mu.Unlock()
}

// Send sends one item. It waits for the peer's credit and for room to write.
//
// Errors: ctx's; [ErrTooLarge] with the channel unharmed; [ErrCanceled] when the
// peer wants no more or the channel was cancelled; io.ErrClosedPipe after
// CloseSend; the peer's [*Error]; an error that wraps [ErrClosed].
func (ch *Channel) Send(ctx context.Context, p Payload) error {
	size := frame.PayloadSize(p.Metadata, p.Data)
	if size > ch.c.cfg.MaxFrame {
		return ErrTooLarge
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		sent, room, err := ch.trySend(p, size)
		if sent || err != nil {
			return err
		}
		select {
		case <-room: // nil, and so never ready, while credit is what is missing
		case <-ch.canSend:
		case <-ctx.Done():
		}
	}
}

func (ch *Channel) trySend(p Payload, size int) (sent bool, room <-chan struct{}, err error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.sendDone {
		signal(ch.canSend) // for whoever else waits
		return false, nil, ch.sendError()
	}
	if ch.credit == 0 {
		return false, nil, nil
	}
	b, room := ch.c.w.try(size)
	if b == nil {
		if room == nil { // the writer has stopped; the read loop is about to tell this channel
			return false, ch.c.ctx.Done(), nil
		}
		return false, room, nil
	}
	ch.credit--
	ch.c.w.end(frame.AppendPayload(b, ch.id, frame.FlagNext, p.Metadata, p.Data))
	if ch.credit > 0 {
		signal(ch.canSend)
	}
	return true, nil, nil
}

func (ch *Channel) sendError() error {
	if ch.sendErr != nil {
		return ch.sendErr
	}
	return io.ErrClosedPipe
}

// Recv returns the next item, io.EOF when the peer's half is complete, or why it
// broke off. What arrived before that is returned first. Taking an item is what
// grants the peer credit for another one.
func (ch *Channel) Recv(ctx context.Context) (Payload, error) {
	for {
		if p, err, ok := ch.tryRecv(); ok {
			return p, err
		}
		select {
		case <-ch.canRecv:
		case <-ctx.Done():
			return Payload{}, ctx.Err()
		}
	}
}

func (ch *Channel) tryRecv() (p Payload, err error, ok bool) { //nolint:revive // ok is not about err
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if len(ch.queue) > 0 {
		p = ch.queue[0]
		ch.queue[0] = Payload{}
		if ch.queue = ch.queue[1:]; len(ch.queue) == 0 {
			ch.queue = nil // an idle channel holds no buffer
		} else {
			signal(ch.canRecv)
		}
		ch.unreadNow -= p.size()
		ch.c.unread.Add(-int64(p.size()))
		ch.grantAgain()
		return p, nil, true
	}
	if ch.recvDone {
		signal(ch.canRecv)
		if ch.recvErr != nil {
			return Payload{}, ch.recvErr, true
		}
		return Payload{}, io.EOF, true
	}
	return Payload{}, nil, false
}

// grantAgain gives credit back in halves of the window, so that it costs one
// frame for many items and the peer still never runs dry.
func (ch *Channel) grantAgain() {
	if ch.recvDone {
		return
	}
	ch.taken++
	if ch.taken < (ch.c.cfg.Window+1)/2 {
		return
	}
	if b := ch.c.w.force(); b != nil {
		ch.c.w.end(frame.AppendRequestN(b, ch.id, uint32(ch.taken)))
	}
	ch.quota += ch.taken
	ch.taken = 0
}

// CloseSend completes this side's half. It does not wait, and may be called twice.
func (ch *Channel) CloseSend() error {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.sendDone {
		return ch.sendErr
	}
	if b := ch.c.w.force(); b != nil {
		ch.c.w.end(frame.AppendPayload(b, ch.id, frame.FlagComplete, nil, nil))
	}
	ch.endSend(nil)
	return nil
}

// Cancel ends both halves at once: the peer is told to stop (the requester sends
// CANCEL, the responder ERROR with CANCELED), items that wait are dropped, and
// Send and Recv return [ErrCanceled]. It does nothing to a channel that is over.
func (ch *Channel) Cancel() {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if !ch.over {
		if ch.requester {
			ch.sendCancel()
		} else {
			ch.c.sendError(ch.id, &Error{Code: frame.CodeCanceled, Message: "canceled"})
		}
		ch.endBoth(ErrCanceled)
	}
	ch.discard()
}

func (ch *Channel) sendCancel() {
	if b := ch.c.w.force(); b != nil {
		ch.c.w.end(frame.AppendCancel(b, ch.id))
	}
}

// Below: what the read loop tells.

func (ch *Channel) payload(f *frame.Frame) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.recvDone {
		return
	}
	if f.Has(frame.FlagFollows) && !f.Has(frame.FlagComplete) {
		ch.breakOff(frame.CodeInvalid, "fragmented payloads are not supported")
		return
	}
	if f.Has(frame.FlagNext) {
		n := len(f.Metadata) + len(f.Data)
		if ch.quota == 0 {
			ch.breakOff(frame.CodeInvalid, "more items than credit was granted for")
			return
		}
		if ch.c.unread.Load()+int64(n) > int64(ch.c.cfg.MaxUnread) {
			ch.breakOff(frame.CodeCanceled, fmt.Sprintf("the items of this connection that wait to be read exceed %d bytes", ch.c.cfg.MaxUnread))
			return
		}
		ch.quota--
		ch.c.unread.Add(int64(n))
		ch.unreadNow += n
		ch.queue = append(ch.queue, own(f.Metadata, f.Data))
		signal(ch.canRecv)
	}
	if f.Has(frame.FlagComplete) {
		ch.endRecv(nil)
	}
}

// breakOff ends the channel because of what the peer did.
func (ch *Channel) breakOff(code Code, message string) {
	e := &Error{Code: code, Message: message}
	ch.c.sendError(ch.id, e)
	ch.endBoth(e)
}

func (ch *Channel) failed(err *Error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.endBoth(err)
}

func (ch *Channel) canceled() {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.requester {
		ch.endSend(ErrCanceled) // the responder stops only what it is sent
		return
	}
	ch.endBoth(ErrCanceled)
}

func (ch *Channel) granted(n uint32) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.credit > math.MaxInt64-int64(n) {
		ch.credit = math.MaxInt64
	} else {
		ch.credit += int64(n)
	}
	signal(ch.canSend)
}

func (ch *Channel) closed(err error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.endBoth(err)
}

// The caller of the following holds mu.

func (ch *Channel) endSend(err error) {
	if !ch.sendDone {
		ch.sendDone, ch.sendErr = true, err
		signal(ch.canSend)
		ch.endIfOver()
	}
}

func (ch *Channel) endRecv(err error) {
	if !ch.recvDone {
		ch.recvDone, ch.recvErr = true, err
		signal(ch.canRecv)
		ch.endIfOver()
	}
}

func (ch *Channel) endBoth(err error) {
	if err != nil && !ch.over && ch.onOver != nil {
		ch.onOver() // broken off: what the handler does is for nobody any more
	}
	ch.endSend(err)
	ch.endRecv(err)
}

func (ch *Channel) endIfOver() {
	if ch.over || !ch.sendDone || !ch.recvDone {
		return
	}
	ch.over = true
	ch.c.drop(ch.id, ch)
	if ch.requester {
		ch.c.finish()
	}
}

// discard drops what waits for Recv.
func (ch *Channel) discard() {
	ch.queue = nil
	ch.c.unread.Add(-int64(ch.unreadNow))
	ch.unreadNow = 0
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
