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
type Channel interface {
	// Send sends one item. It waits for the peer's credit and for room to write.
	//
	// Errors: ctx's; [ErrTooLarge] with the channel unharmed; [ErrCanceled] when the
	// peer wants no more or the channel was cancelled; io.ErrClosedPipe after
	// CloseSend and on a request-stream that this side opened; the peer's [*Error];
	// an error that wraps [ErrClosed]. A ctx that ends when some fragments of a
	// large item have left cancels the channel: the peer could take what follows
	// for the rest.
	Send(ctx context.Context, p Payload) error

	// Recv returns the next item, io.EOF when the peer's half is complete, or why it
	// broke off. What arrived before that is returned first. Taking an item is what
	// grants the peer credit for another one.
	Recv(ctx context.Context) (Payload, error)

	// CloseSend completes this side's half, behind an item that is being sent in
	// fragments. It does not wait, and may be called twice.
	CloseSend() error

	// Cancel ends both halves at once: the peer is told to stop (the requester sends
	// CANCEL, the responder ERROR with CANCELED), items that wait are dropped, and
	// Send and Recv return [ErrCanceled]. It does nothing to a channel that is over.
	Cancel()
}

// TrySender is a [Channel] that can send without a wait. This package's are.
type TrySender interface {
	// TrySend is Send of an item for which there is credit and room now, and that
	// leaves in one piece; sent is false, and nothing has happened, if that is not
	// so. The errors are Send's; for an item that is too large there is none: Send
	// tells.
	TrySend(p Payload) (sent bool, err error)
}

var (
	_ Channel   = (*channel)(nil)
	_ TrySender = (*channel)(nil)
)

// Requester makes requests of every interaction model. A [*Conn] is one;
// package [warmline.dev/protocol/rsocketgo] has another.
type Requester interface {
	Call(ctx context.Context, request Payload) (Payload, error)
	FireAndForget(ctx context.Context, request Payload) error
	OpenStream(ctx context.Context, request Payload) (Channel, error)
	OpenChannel(ctx context.Context, first Payload) (Channel, error)
	PushMetadata(ctx context.Context, metadata []byte) error
}

var _ Requester = (*Conn)(nil)

// channel is the engine's Channel.
type channel struct {
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
func (c *Conn) OpenChannel(ctx context.Context, first Payload) (Channel, error) {
	return c.open(ctx, frame.TypeRequestChannel, first)
}

// OpenStream opens a request-stream. Recv gives what answers it; nothing more
// can be sent. It waits only for room to send the request; ctx does not bind the
// stream later.
func (c *Conn) OpenStream(ctx context.Context, payload Payload) (Channel, error) {
	return c.open(ctx, frame.TypeRequestStream, payload)
}

func (c *Conn) open(ctx context.Context, kind frame.Type, first Payload) (Channel, error) {
	ch := &channel{c: c, requester: true, quota: c.cfg.Window, sendDone: kind == frame.TypeRequestStream}
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
	if s.ch.recvDone = complete; !complete {
		s.ch.quota = c.cfg.Window
		s.ch.taken = -1 // the first item came without credit, so taking it gives none back
	}
	s.begin()
}

// serving is a stream or channel that is being answered.
type serving struct {
	ch      channel
	ctx     requestContext
	kind    frame.Type
	request Payload // of a stream
}

func newServing(c *Conn, id, credit uint32, kind frame.Type) *serving {
	s := &serving{kind: kind}
	s.ch = channel{c: c, id: id, ctx: &s.ctx, credit: int64(credit)}
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
		c.unhold(request.size())
	} else {
		err = c.handler.Channel(&s.ctx, &s.ch)
	}
	c.leave()
	s.ch.release(err)
	s.ctx.end()
	c.left()
}

// release ends what the responder's handler left open.
func (ch *channel) release(err error) {
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

func (ch *channel) Cancel() {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.cancelLocked()
}

func (ch *channel) cancelLocked() {
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

func (ch *channel) opened(id uint32) { ch.id = id }

func (ch *channel) failed(err *Error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.endBoth(err)
}

func (ch *channel) broken(err *Error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if !ch.over {
		ch.breakOff(err)
	}
}

// breakOff ends the channel because of what the peer did.
func (ch *channel) breakOff(err *Error) {
	if ch.requester && ch.sendDone {
		ch.c.sendCancel(ch.id) // a requester whose half is over has no ERROR to send
	} else {
		ch.c.sendError(ch.id, err)
	}
	ch.endBoth(err)
}

func (ch *channel) canceled() {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.requester {
		ch.endSend(ErrCanceled) // the responder stops only what it is sent
		return
	}
	ch.endBoth(ErrCanceled)
}

func (ch *channel) granted(n uint32) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.credit > math.MaxInt64-int64(n) {
		ch.credit = math.MaxInt64
	} else {
		ch.credit += int64(n)
	}
	ch.canSend.signal(ch.c)
}

func (ch *channel) closed(err error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.endBoth(err)
}

// The caller of the following holds mu.

func (ch *channel) endSend(err error) {
	if !ch.sendDone {
		ch.sendDone, ch.sendErr = true, err
		ch.endIfOver()
	}
	ch.canSend.signalAll(ch.c)
}

func (ch *channel) endRecv(err error) {
	if !ch.recvDone {
		ch.recvDone, ch.recvErr = true, err
		ch.endIfOver()
	}
	ch.canRecv.signalAll(ch.c)
}

func (ch *channel) endBoth(err error) {
	if !ch.over && ch.ctx != nil {
		ch.ctx.end() // broken off: what the handler does is for nobody any more
	}
	ch.endSend(err)
	ch.endRecv(err)
}

func (ch *channel) endIfOver() {
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
func (ch *channel) discard() {
	ch.c.unhold(ch.items.bytes)
	ch.items = queue{}
}
