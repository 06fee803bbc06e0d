package rsocketgo

import (
	"context"
	"sync"

	"github.com/rsocket/rsocket-go/payload"
	"github.com/rsocket/rsocket-go/rx"

	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// Call makes a request-response: one payload there, one back.
//
// When ctx ends first, the peer is sent CANCEL, which rsocket-go by itself never
// does, and ctx's error is returned. The other errors are those of
// [rsocket.Conn.Call].
func (c *Conn) Call(ctx context.Context, request rsocket.Payload) (rsocket.Payload, error) {
	s := &call{c: c, done: make(chan struct{})}
	s.release = sync.OnceFunc(c.calls.Done)
	err := c.ask(ctx, request, s, func(p payload.Payload) {
		c.calls.Add(1)
		c.socket.RequestResponse(p).SubscribeWith(context.Background(), s)
	})
	if err != nil {
		return rsocket.Payload{}, err
	}
	defer c.finish()
	select {
	case <-s.done:
		return s.reply, s.err
	case <-ctx.Done():
	}
	if s.abandoned() {
		return rsocket.Payload{}, ctx.Err()
	}
	<-s.done // whoever took it out is about to tell
	return s.reply, s.err
}

// abandoned gives the request up, if nobody has ended it. It is inside the
// library as it does, so that the end of the connection can't come in between.
func (s *call) abandoned() bool {
	c := s.c
	if !c.gate.enter() {
		return false
	}
	defer c.gate.leave()
	if !c.streams.take(s.id, s) {
		return false
	}
	c.abandon(s.id)
	c.wire.conclude(s.id)
	return true
}

// FireAndForget makes a request that nothing answers: it returns when the
// request is on its way, and whether it arrives is not known. Errors are those
// of [Conn.Call] that say that nothing was sent.
func (c *Conn) FireAndForget(ctx context.Context, request rsocket.Payload) error {
	err := c.ask(ctx, request, nil, func(p payload.Payload) { c.socket.FireAndForget(p) })
	if err == nil {
		c.finish()
	}
	return err
}

// PushMetadata sends metadata for the whole connection (METADATA_PUSH). Nothing
// answers it.
func (c *Conn) PushMetadata(ctx context.Context, metadata []byte) error {
	if err := c.fits(rsocket.Payload{Metadata: metadata}); err != nil {
		return err
	}
	if err := c.ready(ctx); err != nil {
		return err
	}
	if err := c.takeRoom(ctx); err != nil {
		return err
	}
	if !c.gate.enter() {
		c.giveRoom()
		return c.Err()
	}
	defer c.gate.leave()
	c.socket.MetadataPush(lend(rsocket.Payload{Metadata: metadata}))
	return nil
}

// ready waits until an acceptor has taken the connection.
func (c *Conn) ready(ctx context.Context) error {
	select {
	case <-c.stands:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.ctx.Done():
		return c.Err()
	}
}

// ask begins an own request: it waits for room, registers s, if there is one,
// under the id that the library takes next, and makes the request, all in one
// step, so that requests leave in the order of their ids. A request that was
// begun has to be finished.
func (c *Conn) ask(ctx context.Context, p rsocket.Payload, s asker, request func(payload.Payload)) error {
	if err := c.fits(p); err != nil {
		return err
	}
	c.outbound.Add(1)
	err := c.refusal(ctx)
	if err == nil {
		err = c.ready(ctx)
	}
	if err == nil {
		err = c.takeRoom(ctx)
	}
	if err == nil {
		err = c.tryAsk(ctx, p, s, request)
	}
	if err != nil {
		c.finish()
	}
	return err
}

// asker is the requester's side of a stream.
type asker interface {
	stream
	opened(id uint32)
}

func (c *Conn) tryAsk(ctx context.Context, p rsocket.Payload, s asker, request func(payload.Payload)) error {
	if !c.gate.enter() {
		c.giveRoom()
		return c.refusal(ctx)
	}
	defer c.gate.leave()
	c.asking.Lock()
	defer c.asking.Unlock()
	err := c.refusal(ctx) // it may have come while this one waited
	if err == nil && s != nil {
		s.opened(c.nextID)
		if !c.streams.put(c.nextID, s, true) {
			err = c.refusal(ctx) // the connection has ended
		}
	}
	if err != nil {
		c.giveRoom()
		return err
	}
	if c.nextID += 2; c.nextID > frame.MaxCredit {
		c.draining.Store(true) // no ids are left, and where the library goes on it uses 0
	}
	request(lend(p))
	return nil
}

// abandon keeps a request back that has not left yet, and tells the peer of one
// that has that nobody wants the answer.
func (c *Conn) abandon(id uint32) {
	if !c.streams.hold(id) {
		c.wire.say(frame.AppendCancel(nil, id))
	}
}

// finish gives back the place of an own request that has ended.
func (c *Conn) finish() {
	c.outbound.Add(-1)
	c.endIfDrained()
}

// call is the requester's side of a request-response, and the library's
// subscriber to the answer.
type call struct {
	c       *Conn
	id      uint32
	release func() // the library has let go of it

	once  sync.Once
	done  chan struct{} // closed when reply and err are set
	reply rsocket.Payload
	err   error

	// used by the library's goroutine
	last       rsocket.Payload
	subscribed bool
}

func (s *call) opened(id uint32) { s.id = id }

// give is called by whoever took the call out of the table; what the library
// reports of one that was concluded comes too late.
func (s *call) give(reply rsocket.Payload, err error) {
	s.once.Do(func() {
		s.reply, s.err = reply, err
		close(s.done)
	})
}

// payload lets the one answer through: the library would give a second one to
// another request.
func (s *call) payload(*frame.Frame) bool    { return s.c.streams.take(s.id, s) }
func (s *call) failed(e *rsocket.Error) bool { return s.c.streams.take(s.id, s) }

func (s *call) broken(e *rsocket.Error) {
	if s.c.streams.take(s.id, s) {
		s.c.wire.say(frame.AppendCancel(nil, s.id))
		s.c.wire.conclude(s.id)
		s.give(rsocket.Payload{}, e)
	}
}

func (s *call) closed(err error) { s.give(rsocket.Payload{}, err) }
func (s *call) gone(error)       {}
func (s *call) canceled()        {} // a responder has nothing to cancel here
func (s *call) granted(uint32)   {} // a request-response needs no credit
func (s *call) waiting() bool    { return true }

// Below: what the library calls.

// OnSubscribe waits for the answer, on a goroutine of the library's. When it
// returns the library has let go of the request.
func (s *call) OnSubscribe(_ context.Context, answer rx.Subscription) {
	s.subscribed = true
	defer s.release()
	answer.Request(rx.RequestMax)
}

func (s *call) OnNext(p payload.Payload) { s.last = keep(p) }
func (s *call) OnComplete()              { s.give(s.last, nil) }

func (s *call) OnError(err error) {
	s.give(rsocket.Payload{}, s.c.told(err))
	if !s.subscribed {
		s.release()
	}
}
