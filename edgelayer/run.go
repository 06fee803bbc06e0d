package edgelayer

import (
	"context"
	"errors"
	"slices"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/protocol"
)

// run runs a call and answers it.
func (a *asked) run() {
	defer a.ctx.cancel()
	c := a.c
	c.l.s.calls.Add(1)
	var out outcome
	out, a.seen = c.outcome(a)
	c.unused() // it failed before it ran, or did not have to
	c.settle(a, &out)
	if bad, ok := errors.AsType[errMalformedArgs](out.err); ok {
		_ = c.l.malformed(bad) // it is logged, and the line is closing
		c.calls.answered(1)
		return
	}
	if a.givenUp = a.ctx.Err() != nil; a.givenUp && !a.changed() {
		c.calls.answered(1)
		return
	}
	c.outbox.put(a)
}

// settle ends a call, with room for its result if that is to be kept.
func (c *conversation) settle(a *asked, out *outcome) {
	if out.err == nil && a.m.How.Keep {
		if out.err = c.view.hold(len(out.result) + overhead); out.err != nil {
			out.result = nil
		}
	}
	c.l.s.countFailed(out.err)
	c.calls.ended(a, *out)
}

// changed reports whether the call has changed the passport; what was seen was
// told before.
func (a *asked) changed() bool { return a.out.changed != 0 && !a.seen }

// message is what to say of a call that has run.
func (out *outcome) message(id uint32, seen bool) protocol.Message {
	if out.err != nil {
		return protocol.Message{Kind: protocol.KindFailure, ID: id, Failure: protocol.AsError(out.err)}
	}
	return protocol.Message{Kind: protocol.KindReply, ID: id, Value: out.result, Note: protocol.Note{View: seen}}
}

// outcome waits for what a call depends on and runs it, or finds its answer in
// the conversation's view; seen says that.
func (c *conversation) outcome(a *asked) (out outcome, seen bool) {
	ctx, m := context.Context(&a.ctx), &a.m
	sv, method, err := c.l.find(c.services, m.Method)
	if err == nil && (method.stream != nil) != (m.How.Parts > 0) {
		err = protocol.Errorf(protocol.InvalidArgument, "%s gives %s", m.Method, map[bool]string{true: "parts: say how many are taken", false: "one result, and no parts"}[method.stream != nil])
	}
	if err == nil {
		err = c.wait(ctx, a)
	}
	if err == nil && m.How.References {
		m.Value, err = c.resolve(a, m.Value)
	}
	if err == nil {
		err = c.l.allow(c.bearer, method)
	}
	if err != nil {
		return outcome{err: err}, false
	}
	if m.How.Fresh {
		ctx = warm.WithFresh(ctx)
	}
	var yield func(protocol.Raw) error
	if method.stream != nil {
		yield = a.yield
	}
	run := func() outcome {
		place := c.place.Swap(nil)
		if place == nil {
			place = c.l.s.load.join()
		}
		return c.l.invoke(ctx, c.bearer, sv, method, m.Value, yield, place)
	}
	if method.reads && method.stream == nil {
		var room [128]byte
		out, seen = c.view.ask(ctx, appendQuestion(room[:0], method.full, m.Value), sv.name, m.How.Fresh, run)
		if seen {
			c.l.s.viewHits.Add(1)
		}
		return out, seen
	}
	out = run()
	if !method.reads {
		c.view.written(slices.Concat(method.changes, []string{sv.name})...)
	}
	return out, false
}

// yield sends a part of the result when the adapter takes it.
func (a *asked) yield(part protocol.Raw) error {
	if err := a.credit.take(&a.ctx); err != nil {
		return err
	}
	return a.c.send(&a.ctx, &protocol.Message{Kind: protocol.KindPart, ID: a.m.ID, Value: part})
}

// wait waits for the calls that have to come first, which have to succeed.
func (c *conversation) wait(ctx context.Context, a *asked) error {
	for _, on := range a.waits {
		if on.done != nil {
			select {
			case <-on.done:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if on.out.err != nil {
			why := protocol.AsError(on.out.err)
			err := protocol.Errorf(protocol.Unresolved, "call %d (%s) failed: %s", on.m.ID, clip(on.m.Method), why)
			err.Retry = why.Retry
			return err
		}
	}
	return nil
}

// resolve puts results where the arguments refer to them.
func (c *conversation) resolve(a *asked, args protocol.Raw) (protocol.Raw, error) {
	return c.l.codec.Resolve(args, c.l.s.cfg.MaxMessage, func(id uint32) (protocol.Raw, error) {
		c.l.s.references.Add(1)
		for _, on := range a.waits {
			if on.m.ID == id {
				return on.out.result, nil
			}
		}
		return nil, protocol.Errorf(protocol.Internal, "call %d was not waited for", id)
	})
}

// shorter is what to say instead of an answer that can't be sent, because it fits
// no frame or is no encoding: no call stays unanswered.
func shorter(m *protocol.Message, err error) *protocol.Message {
	failure := protocol.AsError(err)
	if m.Kind == protocol.KindFailure {
		failure = &protocol.Error{Code: m.Failure.Code, Message: clip(m.Failure.Message), Retry: m.Failure.Retry}
	}
	return &protocol.Message{Kind: protocol.KindFailure, ID: m.ID, Failure: failure}
}
