package rsocket

import (
	"context"
	"math"
	"sync"

	"warmline.dev/protocol/rsocket/frame"
)

// Channel is one stream that carries more than one payload. On a request-channel
// both sides send; its two halves complete separately: CloseSend ends the one,
// io.EOF from Recv is the end of the other. On a request-stream only the side
// that answers sends.
//
// All methods may be called by many goroutines at once; items sent by one
// goroutine arrive in their order.
//
// The side that opened it must either see both halves end or call Cancel.
type Channel struct {
	// immutable once the stream is registered
	c         *Conn
	requester bool
	id        uint32
	ctx       *requestContext // the handler's; nil on the requester's side

	mu sync.Mutex
	// guarded by mu
	credit   int64 // items the peer still takes
	sendDone bool  // our half has ended
	sendErr  error // why, if not by CloseSend
	cutting  bool  // an item is being sent in fragments
	closing  bool  // CloseSend was called meanwhile
	canSend  waiters

	items    queue
	quota    int   // items the peer may still send
	taken    int   // items that Recv took and that were not granted again
	recvDone bool  // the peer's half has ended
	recvErr  error // why, if it did not complete
	canRecv  waiters

	over bool // both halves have ended and the stream is off the table
}

// OpenChannel opens a request-channel with its first payload, which needs no
// credit. It waits only for room to send the request; ctx does not bind the
// channel later.
func (c *Conn) OpenChannel(ctx context.Context, first Payload) (*Channel, error) {
	return c.open(ctx, frame.TypeRequestChannel, first)
}

// OpenStream opens a request-stream. Recv gives what answers it; nothing more
// can be sent. It waits only for room to send the request; ctx does not bind the
// stream later.
func (c *Conn) OpenStream(ctx context.Context, payload Payload) (*Channel, error) {
	return c.open(ctx, frame.TypeRequestStream, payload)
}

func (c *Conn) open(ctx context.Context, kind frame.Type, first Payload) (*Channel, error) {
	ch := &Channel{c: c, requester: true, quota: c.cfg.Window, sendDone: kind == frame.TypeRequestStream}
	id, rest, err := c.start(ctx, ch, &request{kind: kind, credit: uint32(c.cfg.Window), payload: first})
	if err != nil {
		return nil, err
	}
	if rest.left.size() > 0 {
		if err := c.sendRest(ctx, id, ch, &rest); err != nil {
			ch.Cancel()
			return nil, err
		}
	}
	return ch, nil
}

func (c *Conn) acceptStream(id, credit uint32, p Payload) {
	s := newServing(c, id, credit, frame.TypeRequestStream)
	s.request = p
	s.ch.recvDone = true
	s.begin()
}

func (c *Conn) acceptChannel(id, credit uint32, p Payload, complete bool) {
	s := newServing(c, id, credit, frame.TypeRequestChannel)
	s.ch.items.push(p)
	c.unread.Add(int64(p.size()))
	if s.ch.recvDone = complete; !complete {
		s.ch.quota = c.cfg.Window
		s.ch.taken = -1 // the first item came without credit, so taking it gives none back
	}
	s.begin()
}

// serving is a stream or channel that is being answered.
type serving struct {
	ch      Channel
	ctx     requestContext
	kind    frame.Type
	request Payload // of a stream
}

func newServing(c *Conn, id, credit uint32, kind frame.Type) *serving {
	s := &serving{kind: kind}
	s.ch = Channel{c: c, id: id, ctx: &s.ctx, credit: int64(credit)}
	return s
}

func (s *serving) begin() {
	c := s.ch.c
	if !c.streams.put(s.ch.id, &s.ch) {
		s.ch.closed(ErrClosed) // the connection has ended
	} else if s.ch.quota > 0 {
		c.sendRequestN(s.ch.id, s.ch.quota)
	}
	c.work.add(s)
}

// run is the task of the request.
func (s *serving) run() {
	c := s.ch.c
	var err error
	if s.kind == frame.TypeRequestStream {
		request := s.request
		s.request = Payload{}
		err = c.handler.Stream(&s.ctx, request, &s.ch)
	} else {
		err = c.handler.Channel(&s.ctx, &s.ch)
	}
	c.leave()
	s.ch.release(err)
	s.ctx.end()
	c.left()
}

// release ends what the responder's handler left open.
func (ch *Channel) release(err error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	switch {
	case ch.over:
	case err != nil:
		ch.c.sendError(ch.id, asError(err))
	default:
		if !ch.sendDone {
			ch.c.sendComplete(ch.id)
		}
		if !ch.recvDone {
			ch.c.sendCancel(ch.id)
		}
	}
	ch.endBoth(ErrCanceled)
	ch.discard()
}

// Cancel ends both halves at once: the peer is told to stop (the requester sends
// CANCEL, the responder ERROR with CANCELED), items that wait are dropped, and
// Send and Recv return [ErrCanceled]. It does nothing to a channel that is over.
func (ch *Channel) Cancel() {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.cancelLocked()
}

func (ch *Channel) cancelLocked() {
	if !ch.over {
		if ch.requester {
			ch.c.sendCancel(ch.id)
		} else {
			ch.c.sendError(ch.id, &Error{Code: frame.CodeCanceled, Message: "canceled"})
		}
		ch.endBoth(ErrCanceled)
	}
	ch.discard()
}

// Below: what the read loop tells.

func (ch *Channel) opened(id uint32) { ch.id = id }

func (ch *Channel) failed(err *Error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.endBoth(err)
}

func (ch *Channel) broken(err *Error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if !ch.over {
		ch.breakOff(err)
	}
}

// breakOff ends the channel because of what the peer did.
func (ch *Channel) breakOff(err *Error) {
	if ch.requester && ch.sendDone {
		ch.c.sendCancel(ch.id) // a requester whose half is over has no ERROR to send
	} else {
		ch.c.sendError(ch.id, err)
	}
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
	ch.canSend.signal()
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
		ch.endIfOver()
	}
	ch.canSend.signal()
}

func (ch *Channel) endRecv(err error) {
	if !ch.recvDone {
		ch.recvDone, ch.recvErr = true, err
		ch.endIfOver()
	}
	ch.canRecv.signal()
}

func (ch *Channel) endBoth(err error) {
	if !ch.over && ch.ctx != nil {
		ch.ctx.end() // broken off: what the handler does is for nobody any more
	}
	ch.endSend(err)
	ch.endRecv(err)
}

func (ch *Channel) endIfOver() {
	if ch.over || !ch.sendDone || !ch.recvDone {
		return
	}
	ch.over = true
	ch.c.take(ch.id, ch)
	if ch.requester {
		ch.c.finish()
	}
}

// discard drops what waits for Recv.
func (ch *Channel) discard() {
	ch.c.unread.Add(-int64(ch.items.bytes))
	ch.items = queue{}
}
