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
func (c *Conn) Call(ctx context.Context, request Payload) (Payload, error) {
	s := &call{result: make(chan result, 1)}
	id, err := c.start(ctx, s, frame.PayloadSize(request.Metadata, request.Data), func(dst []byte, id uint32) []byte {
		return frame.AppendRequest(dst, id, frame.TypeRequestResponse, 0, request.Metadata, request.Data)
	})
	if err != nil {
		return Payload{}, err
	}
	defer c.finish()
	select {
	case r := <-s.result:
		c.drop(id, s)
		return r.payload, r.err
	case <-ctx.Done():
		if c.drop(id, s) {
			if b := c.w.force(); b != nil {
				c.w.end(frame.AppendCancel(b, id))
			}
		}
		return Payload{}, ctx.Err()
	}
}

// call is the requester's side of a request-response. The first word counts;
// the result channel has room for it, and what comes later is dropped.
type call struct{ result chan result }

type result struct {
	payload Payload
	err     error
}

func (s *call) give(r result) {
	select {
	case s.result <- r:
	default:
	}
}

func (s *call) payload(f *frame.Frame) {
	if f.Has(frame.FlagFollows) && !f.Has(frame.FlagComplete) {
		s.give(result{err: &Error{Code: frame.CodeInvalid, Message: "the reply is fragmented, which is not supported"}})
		return
	}
	// A reply without Complete counts as complete.
	s.give(result{payload: own(f.Metadata, f.Data)})
}
func (s *call) failed(err *Error) { s.give(result{err: err}) }
func (s *call) closed(err error)  { s.give(result{err: err}) }
func (s *call) canceled()         {} // a responder has nothing to cancel here
func (s *call) granted(uint32)    {} // a request-response needs no credit

// answer is the responder's side of a request-response.
type answer struct{ cancel context.CancelFunc }

func (s *answer) payload(*frame.Frame) {} // a request-response has no second item
func (s *answer) failed(*Error)        { s.cancel() }
func (s *answer) canceled()            { s.cancel() }
func (s *answer) closed(error)         { s.cancel() }
func (s *answer) granted(uint32)       {}

func (c *Conn) acceptResponse(f *frame.Frame) {
	ctx, cancel := context.WithCancel(c.ctx)
	s := &answer{cancel: cancel}
	id, request := f.StreamID, own(f.Metadata, f.Data)
	c.put(id, s)
	c.wg.Go(func() {
		defer c.leave()
		defer cancel()
		reply, err := c.handler.Response(ctx, request)
		if err == nil {
			err = c.reply(ctx, id, reply)
		}
		if c.drop(id, s) && err != nil && ctx.Err() == nil {
			c.sendError(id, asError(err))
		}
	})
}

// reply sends the one payload of a request-response.
func (c *Conn) reply(ctx context.Context, id uint32, p Payload) error {
	size := frame.PayloadSize(p.Metadata, p.Data)
	if size > c.cfg.MaxFrame {
		return ErrTooLarge
	}
	for ctx.Err() == nil {
		b, wait := c.w.try(size)
		if b != nil {
			c.w.end(frame.AppendPayload(b, id, frame.FlagNext|frame.FlagComplete, p.Metadata, p.Data))
			return nil
		}
		if wait == nil {
			return ErrClosed
		}
		select {
		case <-wait:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}
