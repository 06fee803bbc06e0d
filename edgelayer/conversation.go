package edgelayer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"

	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// conversation is the edge's end of one device request's exchange.
type conversation struct {
	l      *line
	ch     rsocket.Channel
	bearer *bearer
	view   view
	calls  calls
	work   work
	outbox outbox

	services services               // those that the line had when it began
	place    atomic.Pointer[permit] // with which it was let in, until its first call takes it

	atHand atHand
}

// converse serves a request-channel. It returns when the adapter has completed
// its half and every call has been answered, or when the conversation broke.
func (l *line) converse(ctx context.Context, ch rsocket.Channel) error {
	first, err := ch.Recv(ctx)
	if err != nil {
		return err
	}
	md, err := protocol.ParseMetadata(first.Metadata)
	if err != nil {
		return l.malformed(err)
	}
	if md.Route != protocol.RouteConversation {
		return protocol.Errorf(protocol.UnknownMethod, "a request-channel on route %q, expected %s", clip(md.Route), protocol.RouteConversation).Frame()
	}
	ctx, cancel, err := l.begin(ctx, md)
	if err != nil {
		return protocol.AsError(err).Frame()
	}
	defer cancel()
	place, refusal := l.s.load.enter()
	if refusal != nil {
		return refusal.Frame()
	}
	l.s.conversations.Add(1)
	defer l.s.conversations.Add(-1)

	b := newBearer(l.s.cfg.Keys, md.Passport)
	c := &conversation{l: l, ch: ch, bearer: b, services: *l.services.Load()}
	c.view.most, c.view.bearer = l.s.cfg.MaxView, b
	c.calls.most = l.s.cfg.MaxCalls
	c.outbox.c, c.outbox.ctx = c, ctx
	c.atHand.c, c.atHand.most = c, min(together, l.s.cfg.MaxMessage, l.s.cfg.RSocket.MaxPayload)
	c.atHand.call.Context, c.atHand.call.bearer = ctx, b
	c.place.Store(place)
	err = c.take(ctx, first.Data)
	if err != nil || !c.calls.any() {
		c.unused() // who asks nothing yet keeps no place from others
	}
	c.atHand.rise()
	for err == nil {
		var p rsocket.Payload
		if p, err = ch.Recv(ctx); err == nil {
			err = c.take(ctx, p.Data)
			c.atHand.rise()
		}
	}
	if errors.Is(err, io.EOF) && !isMalformed(err) { // a message that breaks off may wrap io.EOF too
		c.work.wg.Wait() // the adapter has asked all it will; what it asked is still answered
		err = ctx.Err()
	}
	cancel()
	c.work.wg.Wait()
	switch {
	case err == nil:
		return nil
	case isMalformed(err):
		return l.malformed(err)
	default:
		return protocol.AsError(err).Frame()
	}
}

// unused gives back the place with which the conversation was let in, unless a
// call has taken it.
func (c *conversation) unused() { c.place.Swap(nil).leave(context.Canceled) }

// take acts on the messages of one payload. An error ends the conversation.
func (c *conversation) take(ctx context.Context, data []byte) error {
	for len(data) > 0 {
		if call, rest, ok := c.l.codec.NextCall(data, c.l.s.cfg.MaxMessage); ok {
			if data = rest; c.answer(call) {
				continue
			}
			if err := c.start(ctx, call.Message(), true); err != nil {
				return err
			}
			continue
		}
		m, rest, err := c.l.codec.NextMessage(data, c.l.s.cfg.MaxMessage)
		if err != nil {
			return err
		}
		size := len(data) - len(rest)
		data = rest
		switch m.Kind {
		case protocol.KindCall:
			if m.Oversized {
				err = c.refuse(ctx, m.ID, c.l.tooLarge(size))
			} else {
				err = c.start(ctx, m, false)
			}
			if err != nil {
				return err
			}
		case protocol.KindCancel:
			c.calls.stop(m.ID)
		case protocol.KindMore:
			c.calls.grant(m.ID, m.More)
		default:
			// What only an edge says, or a newer adapter: nothing to do.
		}
	}
	return nil
}

// refuse fails a call that is not begun.
func (c *conversation) refuse(ctx context.Context, id uint32, why *protocol.Error) error {
	return c.send(ctx, &protocol.Message{Kind: protocol.KindFailure, ID: id, Failure: why})
}

// start runs a call beside the others, unless its answer is at hand; looked says that
// it is not.
func (c *conversation) start(ctx context.Context, m protocol.Message, looked bool) error {
	a := &asked{c: c, m: m, ctx: callContext{Context: ctx}}
	a.credit.add(m.How.Parts)
	inUse, err := c.depend(a)
	switch {
	case err == nil && !looked && c.answerAsked(a):
		return nil
	case err == nil:
		a.m.Value = bytes.Clone(a.m.Value) // a method may keep it: then not all that it came with
		c.work.add(a)
		return nil
	case inUse || isMalformed(err):
		return err
	default:
		return c.refuse(ctx, m.ID, protocol.AsError(err))
	}
}

// depend finds the calls that a call has to wait for, and gives it a place. The
// error is the call's; inUse says that it is the whole conversation's.
func (c *conversation) depend(a *asked) (inUse bool, err error) {
	var refs []uint32
	if a.m.How.References {
		if refs, err = c.l.codec.Calls(a.m.Value); err != nil {
			return false, err
		}
	}
	return c.calls.admit(a, refs)
}

// send sends a message by itself.
func (c *conversation) send(ctx context.Context, m *protocol.Message) error {
	data, err := c.l.codec.AppendMessage(nil, m)
	if err != nil {
		return err
	}
	return c.ch.Send(ctx, rsocket.Payload{Data: data})
}
