package edgelayer

import (
	"context"

	"warmline.dev/protocol"
)

// AtOnce gives a method that [Reads] a way to answer without a wait, for what it has
// in memory: f is asked first, and where it reports false the method is run. A result
// or an error of f is the call's.
//
// f runs on the goroutine that reads the conversation, which hears and does nothing
// else meanwhile: it must not wait for anybody (a source, a load, a lock that is held
// for long), and should be done in microseconds. It takes arguments and gives a
// result as [NewRaw] says, but that it may neither keep nor return its arguments; [Passport] works as in the
// method, [ChangePassport] fails. It is not asked for a call that wants its answer
// fresh, or that is made without a conversation.
func AtOnce(f func(ctx context.Context, codec protocol.Codec, args protocol.Raw) (result protocol.Raw, ok bool, err error)) MethodOption {
	return methodOption(func(m *Method) { m.atOnce = f })
}

// answer answers a call that asks for nothing besides its result, if that is at
// hand. It reports false where the call is to be started.
func (c *conversation) answer(asked protocol.Call) bool {
	sv, m := c.services.known(asked.Method)
	if m == nil || m.atOnce == nil || !c.atHand.room() || !c.calls.mayAnswer(asked.ID) {
		return false
	}
	out, seen, ok := c.find(sv, m, asked.Args)
	if !ok {
		return false
	}
	c.l.s.calls.Add(1)
	c.l.s.countFailed(out.err)
	c.atHand.add(asked.ID, out, seen)
	return true
}

// answerAsked is answer for a call that has been admitted.
func (c *conversation) answerAsked(a *asked) bool {
	sv, m, err := c.services.find(a.m.Method)
	if err != nil || m.atOnce == nil || a.m.How.Fresh || a.m.How.Parts > 0 || !c.atHand.room() || !c.calls.ready(a) {
		return false
	}
	var out outcome
	var seen bool
	if a.m.How.References {
		if a.m.Value, out.err = c.resolve(a, a.m.Value); out.err == nil {
			a.m.How.References = false
			if checkArgs(c.l.codec, a.m.Value) != nil {
				return false // it is not known yet whom to blame
			}
		}
	}
	if out.err == nil {
		var ok bool
		if out, seen, ok = c.find(sv, m, a.m.Value); !ok {
			return false
		}
	}
	c.l.s.calls.Add(1)
	c.unused()
	c.settle(a, &out)
	c.calls.answered(1)
	c.atHand.add(a.m.ID, out, seen)
	return true
}

// find finds the answer to a question in the conversation's view or, if its method
// has it in memory, there. It reports false if the method has to be run.
func (c *conversation) find(sv *service, m *Method, args protocol.Raw) (out outcome, seen, ok bool) {
	if err := c.atHand.call.Err(); err != nil {
		return out, false, false
	}
	if err := c.l.allow(c.bearer, m); err != nil {
		return outcome{err: err}, false, true
	}
	h := &c.atHand
	h.sit()
	h.question = appendQuestion(h.question[:0], m.full, args)
	r, own, done := c.view.find(h.question, sv.name, false)
	switch {
	case done != nil:
		return out, false, false
	case !own:
		c.l.s.viewHits.Add(1)
		return r.out, true, true
	}
	h.call.personal.Store(false)
	if out.result, ok, out.err = c.l.tryAtOnce(&h.call, m, args); !ok {
		c.view.finish(r, outcome{err: context.Canceled}) // who waits for it asks itself
		return outcome{}, false, false
	}
	return c.view.finish(r, c.l.judge(m, &h.call, out)), false, true
}

// tryAtOnce asks the method for what it has in memory; one that panics fails this
// call alone.
func (l *line) tryAtOnce(ctx context.Context, m *Method, args protocol.Raw) (result protocol.Raw, ok bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			result, ok, err = nil, true, l.panicked(m, r)
		}
	}()
	return m.atOnce(ctx, l.codec, args)
}
