package rsocketgo

import (
	"context"

	"github.com/rsocket/rsocket-go/payload"
	"github.com/rsocket/rsocket-go/rx"
	"github.com/rsocket/rsocket-go/rx/flux"
	"github.com/rsocket/rsocket-go/rx/mono"

	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// responder is what the library asks about the requests that the wire let
// through, in their order.
type responder struct{ c *Conn }

// MetadataPush is never called: the read loop keeps METADATA_PUSH.
func (responder) MetadataPush(payload.Payload) {}

// FireAndForget runs the handler.
func (r responder) FireAndForget(p payload.Payload) {
	c := r.c
	if !c.gate.enter() {
		return // the connection has ended
	}
	defer c.gate.leave()
	request := keep(p)
	c.wg.Go(func() { // the library would keep a panic to itself
		ctx, cancel := context.WithCancel(c.ctx)
		defer cancel()
		c.handler.FireAndForget(ctx, request)
		c.unhold(size(request))
		c.leave()
		c.left()
	})
}

func (r responder) RequestResponse(p payload.Payload) mono.Mono {
	s := r.c.streams.next().(*answer)
	s.request = keep(p)
	return s
}

func (r responder) RequestStream(p payload.Payload) flux.Flux {
	ch := r.c.streams.next().(*channel)
	request := keep(p)
	return &outflow{Flux: flux.Empty(), ch: ch, serve: func() {
		err := r.c.handler.Stream(ch.ctx, request, ch)
		r.c.unhold(size(request))
		ch.serve(err)
	}}
}

func (r responder) RequestChannel(in flux.Flux) flux.Flux {
	ch := r.c.streams.next().(*channel)
	in.SubscribeWith(context.Background(), inflow{ch})
	return &outflow{Flux: flux.Empty(), ch: ch, serve: func() {
		ch.serve(r.c.handler.Channel(ch.ctx, ch))
	}}
}

// newServed is the responder's side of a stream or a channel.
func newServed(c *Conn, f *frame.Frame, complete bool) *channel {
	ch := &channel{c: c, id: f.StreamID, credit: int64(f.N)}
	// Not the connection's: it ends behind what has arrived.
	ch.ctx, ch.cancel = context.WithCancel(context.Background())
	if f.Type == frame.TypeRequestStream {
		ch.recvDone, ch.concluded = true, true
		return ch
	}
	ch.held = len(f.Metadata) + len(f.Data)
	if ch.complete, ch.concluded = complete, complete; !complete {
		ch.windowed, ch.quota = true, c.cfg.Window
		ch.taken = -1 // the first item came without credit, so taking it gives none back
	}
	return ch
}

// serve is the end of the handler.
func (ch *channel) serve(err error) {
	ch.c.leave()
	ch.release(err)
	ch.cancel()
	ch.c.left()
}

// answer is the responder's side of a request-response: a mono that runs the
// handler when the library subscribes to it. It is not mono.Create, which
// answers a CANCEL by itself while the handler may be answering too, and gives
// the subscriber to another request.
type answer struct {
	mono.Mono // empty; the library calls only what is overridden here
	c         *Conn
	id        uint32
	ctx       context.Context
	cancel    context.CancelFunc
	request   rsocket.Payload
}

func newAnswer(c *Conn, id uint32) *answer {
	s := &answer{Mono: mono.Empty(), c: c, id: id}
	s.ctx, s.cancel = context.WithCancel(c.ctx)
	return s
}

// SubscribeWith is called once, on a goroutine that may wait.
func (s *answer) SubscribeWith(_ context.Context, to rx.Subscriber) {
	c := s.c
	if !c.gate.enter() {
		return // the connection has ended
	}
	c.wg.Add(1)
	to.OnSubscribe(context.Background(), subscription{})
	c.gate.leave()
	defer c.wg.Done()
	defer s.cancel()
	request := s.request
	s.request = rsocket.Payload{} // a context may be kept for longer than the request
	reply, err := c.handler.Response(s.ctx, request)
	c.unhold(size(request)) // before the peer can ask again
	if err == nil {
		err = c.fits(reply)
	}
	if err == nil {
		err = c.takeRoom(s.ctx)
	}
	s.finish(to, reply, err)
	c.left()
}

// finish hands the library what came of the request, for which there is room if
// it is no error. It has to be told also when the peer does not want it any more;
// the peer passes over that.
func (s *answer) finish(to rx.Subscriber, reply rsocket.Payload, err error) {
	c := s.c
	wanted := c.streams.take(s.id, s)
	c.leave()
	inside := c.gate.enter()
	if inside {
		defer c.gate.leave()
	}
	if err == nil && !(inside && wanted) {
		c.giveRoom()
	}
	switch {
	case !inside: // the connection has ended
	case !wanted:
		to.OnError(c.libraryError(errCanceled))
	case err != nil:
		to.OnError(c.libraryError(err))
	default:
		to.OnNext(lend(reply))
		to.OnComplete()
	}
}

// errCanceled is what a responder says that has given up.
var errCanceled = &rsocket.Error{Code: frame.CodeCanceled, Message: "canceled"}

// subscription is the library's handle on an answer. It needs no credit, and the
// read loop tells of CANCEL.
type subscription struct{}

func (subscription) Request(int) {}
func (subscription) Cancel()     {}

// Below: what the read loop tells.

func (s *answer) canceled() {
	if s.c.streams.take(s.id, s) {
		s.cancel()
	}
}

func (s *answer) failed(*rsocket.Error) bool { s.canceled(); return false }
func (s *answer) broken(*rsocket.Error)      { s.canceled() }
func (s *answer) payload(*frame.Frame) bool  { return false } // a request-response has no second item
func (s *answer) granted(uint32)             {}
func (s *answer) closed(error)               { s.cancel() }
func (s *answer) gone(error)                 {}
func (s *answer) waiting() bool              { return false }
