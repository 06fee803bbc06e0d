package rsocketgo

import (
	"context"
	"math"
	"sync"

	"github.com/rsocket/rsocket-go/payload"
	"github.com/rsocket/rsocket-go/rx"
	"github.com/rsocket/rsocket-go/rx/flux"

	"warmline.dev/protocol/rsocket"
)

// channel is one stream that carries more than one payload: rsocket-go's fluxes
// of both directions behind the interface of [rsocket.Channel].
type channel struct {
	// immutable once the stream is registered
	c         *Conn
	requester bool
	id        uint32
	windowed  bool // the peer sends items, for credit
	ctx       context.Context
	cancel    context.CancelFunc // ends the handler's context; nil on the requester's side

	to     rx.Subscriber // the library's, for what this side sends; set before anything is sent
	toward sync.Mutex    // held while it is told something

	// guarded by mu
	mu       sync.Mutex
	credit   int64         // items the peer still takes
	sendDone bool          // our half has ended
	sendErr  error         // why, if not by CloseSend
	told     bool          // the library has been told the end of our half, or is about to be
	telling  chan struct{} // closed when it has
	canSend  signal

	items     []rsocket.Payload
	held      int   // bytes that have arrived and that Recv has not returned
	quota     int   // items the peer may still send
	taken     int   // items that Recv took and that were not granted again
	complete  bool  // the peer said that its half is
	concluded bool  // the library has seen the end of the peer's half, or is about to
	later     error // what ends both halves, behind what the library has not delivered yet
	recvDone  bool  // the peer's half has ended
	recvErr   error // why, if it did not complete
	canRecv   signal

	over bool // both halves have ended and the stream is off the table
}

var _ rsocket.Channel = (*channel)(nil)

// OpenChannel opens a request-channel with its first payload, which needs no
// credit. It waits only for room to send the request; ctx does not bind the
// channel later.
func (c *Conn) OpenChannel(ctx context.Context, first rsocket.Payload) (rsocket.Channel, error) {
	ch := &channel{c: c, requester: true, windowed: true, quota: c.cfg.Window}
	return c.open(ctx, first, ch, func(p payload.Payload) {
		out := &outflow{Flux: flux.Empty(), ch: ch, first: p}
		c.socket.RequestChannel(out).SubscribeWith(context.Background(), inflow{ch})
	})
}

// OpenStream opens a request-stream. Recv gives what answers it; nothing more
// can be sent. It waits only for room to send the request; ctx does not bind the
// stream later.
func (c *Conn) OpenStream(ctx context.Context, request rsocket.Payload) (rsocket.Channel, error) {
	ch := &channel{c: c, requester: true, windowed: true, quota: c.cfg.Window, sendDone: true, told: true}
	return c.open(ctx, request, ch, func(p payload.Payload) {
		c.socket.RequestStream(p).SubscribeWith(context.Background(), inflow{ch})
	})
}

func (c *Conn) open(ctx context.Context, p rsocket.Payload, ch *channel, request func(payload.Payload)) (rsocket.Channel, error) {
	if err := c.ask(ctx, p, ch, request); err != nil {
		return nil, err
	}
	return ch, nil
}

func (ch *channel) opened(id uint32) { ch.id = id }

// Cancel ends both halves at once: the requester sends CANCEL, the responder
// ERROR with CANCELED.
func (ch *channel) Cancel() {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if !ch.over {
		if ch.requester {
			ch.stop(errCanceled)
		} else {
			ch.fail(errCanceled)
		}
		ch.endBoth(rsocket.ErrCanceled)
	}
	ch.discard()
}

// stop tells the peer, past the library, that the stream is at its end. A
// requester never says ERROR, which ends the process of a peer by rsocket-go.
func (ch *channel) stop(e *rsocket.Error) {
	if ch.requester {
		ch.c.abandon(ch.id)
	} else {
		ch.c.sendError(ch.id, e)
	}
	ch.conclude()
}

// fail says ERROR behind what this side, the responder, has sent.
func (ch *channel) fail(err error) {
	if ch.told {
		ch.tell(func(rx.Subscriber) { ch.c.sendError(ch.id, asError(err)) })
	} else {
		ch.tell(func(to rx.Subscriber) { to.OnError(ch.c.libraryError(err)) })
	}
	ch.conclude()
}

// release ends what the responder's handler left open. That the peer may send no
// more is not told: CANCEL ends the process of a peer by rsocket-go. It gets no
// more credit.
func (ch *channel) release(err error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if err != nil && !ch.over {
		ch.fail(err)
	} else if !ch.told { // also when the peer wants nothing more: the library has to know
		ch.tell(func(to rx.Subscriber) { to.OnComplete() })
	}
	ch.conclude()
	ch.endBoth(rsocket.ErrCanceled)
	ch.discard()
}

// tell tells the library, or the peer, the end of this side's half, behind what
// has been told before. That is done on another goroutine: the library waits
// until it has been written. The caller holds mu.
func (ch *channel) tell(end func(to rx.Subscriber)) {
	ch.told = true
	if !ch.c.gate.enter() {
		return // the connection has ended
	}
	before, done := ch.telling, make(chan struct{})
	ch.telling = done
	ch.c.wg.Go(func() {
		defer ch.c.gate.leave()
		defer close(done)
		if before != nil {
			<-before
		}
		ch.toward.Lock()
		defer ch.toward.Unlock()
		end(ch.to)
	})
}

// conclude lets the library forget the peer's half. The caller holds mu.
func (ch *channel) conclude() {
	if !ch.concluded {
		ch.concluded = true
		ch.c.wire.conclude(ch.id)
	}
}

// endBehind ends both halves when the library has delivered what has arrived.
// The caller holds mu.
func (ch *channel) endBehind(err error) {
	if ch.recvDone {
		ch.endBoth(err)
		return
	}
	if ch.later == nil {
		ch.later = err
	}
	ch.conclude()
}

// Below: what the read loop tells.

func (ch *channel) waiting() bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return !ch.concluded
}

// failed lets the library see an ERROR of the responder. A requester's it does
// not survive.
func (ch *channel) failed(e *rsocket.Error) (pass bool) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if !ch.requester {
		ch.endBehind(e)
		return false
	}
	pass = !ch.concluded
	ch.concluded = true
	return pass
}

func (ch *channel) broken(e *rsocket.Error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if !ch.over && !ch.concluded {
		ch.breakOff(e)
	}
}

// breakOff ends the channel because of what the peer did.
func (ch *channel) breakOff(e *rsocket.Error) {
	ch.stop(e)
	ch.endBehind(e)
}

func (ch *channel) canceled() {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.requester {
		ch.endSend(rsocket.ErrCanceled) // the responder stops only what it is sent
		return
	}
	ch.endBehind(rsocket.ErrCanceled)
}

func (ch *channel) granted(n uint32) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.credit > math.MaxInt64-int64(n) {
		ch.credit = math.MaxInt64
	} else {
		ch.credit += int64(n)
	}
	ch.canSend.fire()
}

func (ch *channel) closed(err error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.endBehind(err)
}

func (ch *channel) gone(err error) {
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
	ch.canSend.fire()
}

func (ch *channel) endRecv(err error) {
	if !ch.recvDone {
		ch.recvDone, ch.recvErr = true, err
		ch.endIfOver()
	}
	ch.canRecv.fire()
}

func (ch *channel) endBoth(err error) {
	if !ch.over && ch.cancel != nil {
		ch.cancel() // broken off: what the handler does is for nobody any more
	}
	ch.endSend(err)
	ch.endRecv(err)
}

func (ch *channel) endIfOver() {
	if ch.over || !ch.sendDone || !ch.recvDone {
		return
	}
	ch.over = true
	ch.c.streams.take(ch.id, ch)
	if ch.requester {
		ch.c.finish()
	}
}

// discard drops what waits for Recv, and what the library has not delivered.
func (ch *channel) discard() {
	ch.c.unhold(ch.held)
	ch.items, ch.held = nil, 0
}

// signal wakes everybody who waits for a condition that a lock guards. Its zero
// value is ready.
type signal struct{ c chan struct{} }

// wait returns a channel that is closed by the next fire.
func (s *signal) wait() <-chan struct{} {
	if s.c == nil {
		s.c = make(chan struct{})
	}
	return s.c
}

func (s *signal) fire() {
	if s.c != nil {
		close(s.c)
		s.c = nil
	}
}
