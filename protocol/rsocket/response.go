package rsocket

import (
	"context"

	"warmline.dev/protocol/rsocket/frame"
)

// Call makes a request-response: one payload there, one back.
//
// When ctx ends first, the peer is sent CANCEL and ctx's error is returned. The
// peer's refusal or failure is an [*Error] with Remote set; a connection that
// ends meanwhile gives an error that wraps [ErrClosed], and the request may have
// been carried out. [ErrDraining] and [ErrTooLarge] mean that nothing was sent.
// A reply that completes without an item gives an empty payload.
func (c *Conn) Call(ctx context.Context, payload Payload) (Payload, error) {
	s, _ := c.calls.Get().(*call)
	if s == nil {
		s = &call{done: make(chan struct{}, 1)}
	}
	s.c = c
	c.turn.waiting.Add(1)
	id, rest, err := c.start(ctx, s, &request{kind: frame.TypeRequestResponse, payload: payload})
	if err != nil {
		c.turn.leave()
		c.calls.Put(s)
		return Payload{}, err
	}
	defer c.finish()
	if rest.left.size() > 0 {
		err = c.sendRest(ctx, id, s, &rest)
	}
	if err == nil {
		if err = c.await(ctx, s.done); err == nil {
			return s.result()
		}
	}
	if c.take(id, s) {
		c.turn.leave()
		c.sendCancel(id)
		return Payload{}, err
	}
	<-s.done // whoever took it out is about to tell
	return s.result()
}

// call is the requester's side of a request-response. It is used again, but only
// when the read loop told its result: then nobody else holds it any more, as the
// read loop may when others end it.
type call struct {
	c    *Conn
	id   uint32
	done chan struct{} // one signal: reply and err are set
	re   Payload
	err  error
	lost bool // the connection ended first
}

func (s *call) result() (Payload, error) {
	p, err := s.re, s.err
	if !s.lost {
		s.re, s.err = Payload{}, nil
		s.c.calls.Put(s)
	}
	return p, err
}

// give is called by whoever took the call out of the table.
func (s *call) give(p Payload, err error) {
	s.re, s.err = p, err
	s.c.wake(s.done)
}

func (s *call) opened(id uint32) { s.id = id }

// payload ends the call: a reply without Complete counts as complete.
func (s *call) payload(p Payload, _, _ bool) {
	if s.c.take(s.id, s) {
		s.give(p, nil)
	}
}

func (s *call) failed(err *Error) {
	if s.c.take(s.id, s) {
		s.give(Payload{}, err)
	}
}

func (s *call) broken(err *Error) {
	if id, c := s.id, s.c; c.take(id, s) {
		c.sendCancel(id)
		s.give(Payload{}, err)
	}
}

func (s *call) closed(err error) {
	s.lost = true
	s.give(Payload{}, err)
}

func (s *call) canceled()      {} // a responder has nothing to cancel here
func (s *call) granted(uint32) {} // a request-response needs no credit

// FireAndForget makes a request that nothing answers: it returns when the
// request is on its way, and whether it arrives is not known. Errors are those
// of [Conn.Call] that say that nothing was sent, or, for a payload in fragments,
// ctx's when it ended in the middle: the peer drops what it has.
func (c *Conn) FireAndForget(ctx context.Context, payload Payload) error {
	s := &forgotten{}
	id, rest, err := c.start(ctx, s, &request{kind: frame.TypeRequestFNF, payload: payload})
	if err != nil {
		return err
	}
	defer c.finish()
	if rest.left.size() > 0 {
		if err = c.sendRest(ctx, id, s, &rest); err != nil {
			c.sendCancel(id)
		}
	}
	c.take(id, s)
	return err
}

// forgotten is the requester's side of a fire-and-forget, while it is being sent.
type forgotten struct{ _ byte } // of a size, so that two are never the same

func (*forgotten) opened(uint32)               {}
func (*forgotten) payload(Payload, bool, bool) {}
func (*forgotten) failed(*Error)               {}
func (*forgotten) broken(*Error)               {}
func (*forgotten) canceled()                   {}
func (*forgotten) granted(uint32)              {}
func (*forgotten) closed(error)                {}

// answer is the responder's side of a request-response or a fire-and-forget.
// It is the one allocation that such a request takes, besides its payload.
type answer struct {
	requestContext
	c    *Conn
	id   uint32
	kind frame.Type
	ask  Payload
}

func (c *Conn) acceptSingle(id uint32, kind frame.Type, p Payload) {
	s := &answer{c: c, id: id, kind: kind, ask: p}
	if !c.streams.put(id, s) {
		s.end() // the connection has ended
	}
	c.handOver()
	c.lone = s
}

// run is the task of the request.
func (s *answer) run() {
	ask := s.ask
	s.ask = Payload{} // a context may be kept for longer than the request
	defer s.c.left()
	if s.kind == frame.TypeRequestFNF {
		s.c.handler.FireAndForget(&s.requestContext, ask)
		s.c.unhold(ask.size())
		s.c.take(s.id, s)
		s.c.leave()
		s.end()
		return
	}
	reply, err := s.c.handler.Response(&s.requestContext, ask)
	s.c.unhold(ask.size()) // before the peer can ask again
	if err == nil {
		err = s.reply(reply)
	}
	if err != nil {
		if s.c.take(s.id, s) {
			s.c.leave()
			s.c.sendError(s.id, asError(err))
		} else {
			s.c.leave() // cancelled, or the connection has ended
		}
	}
	s.end()
}

// reply sends the one payload of a request-response and ends the stream. When
// it returns an error the stream is still there, unless it was ended by others.
func (s *answer) reply(p Payload) error {
	c := s.c
	if p.size() > c.cfg.MaxPayload {
		return c.tooLarge(p)
	}
	rest := pieces{left: p, max: c.cfg.Fragment}
	for more := true; more; {
		p, more = rest.next(0)
		b, err := c.room(&s.requestContext, p)
		if err != nil {
			return err
		}
		flags := frame.FlagNext | frame.FlagFollows
		if !more {
			if !c.take(s.id, s) {
				c.w.giveUp()
				return context.Canceled
			}
			c.leave()
			flags = frame.FlagNext | frame.FlagComplete
		}
		c.w.endWith(frame.AppendPayload(b, s.id, flags, p.Metadata, nil), p.Data, companyOf(&c.inbound)).wait(&s.requestContext)
	}
	return nil
}

func (s *answer) opened(uint32)               {}
func (s *answer) payload(Payload, bool, bool) {} // a request-response has no second item
func (s *answer) granted(uint32)              {}
func (s *answer) closed(error)                { s.end() }
func (s *answer) failed(*Error)               { s.canceled() }
func (s *answer) broken(*Error)               { s.canceled() }

func (s *answer) canceled() {
	if s.c.take(s.id, s) {
		s.end()
	}
}
