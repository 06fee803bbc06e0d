package nodelayer

import (
	"errors"
	"maps"
	"slices"
	"time"

	"warmline.dev/nodelayer/internal/line"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// maxMoves is how often one conversation, or single call, goes to another edge.
const maxMoves = 3

// errNotWell is what an edge shows that does not answer.
var errNotWell = protocol.Errorf(protocol.Unavailable, "the edge does not answer")

// isLost reports whether an error is the line's, or the edge's refusal to begin.
func isLost(err error) bool {
	return errors.Is(err, rsocket.ErrClosed) || errors.Is(err, errNotWell) || isUndone(err)
}

// isUndone reports whether an error says that nothing was done.
func isUndone(err error) bool {
	if errors.Is(err, rsocket.ErrDraining) {
		return true
	}
	e, ok := errors.AsType[*rsocket.Error](err)
	return ok && e.Remote && !e.Conn && (e.Code == frame.CodeRejected || e.Code == frame.ErrorCode(protocol.Overloaded))
}

// lost is told that the conversation's stage, its channel or the attempt to open
// one, has come to an end. Another edge may go on with it.
func (c *Conversation) lost(stage int, err error) {
	c.mu.Lock()
	if c.stage != stage || c.ended != nil {
		c.mu.Unlock()
		return // it has gone on already, or is over
	}
	if len(c.waiting) == 0 && c.ctx.Err() == nil && isLost(err) { // the next call begins anew
		c.beginAnew()
		c.mu.Unlock()
		return
	}
	if !isLost(err) || c.ctx.Err() != nil || c.figures.Moves == maxMoves {
		c.mu.Unlock()
		c.end(err)
		return
	}
	m, l, none := c.edge.pick(c.member)
	if l == c.line { // there is no other
		m.Done()
		c.mu.Unlock()
		if !errors.Is(err, errNotWell) { // otherwise it may come to itself
			c.end(err)
		}
		return
	}
	old := c.ch
	failed := c.carryOver(isUndone(err), err)
	if none != nil {
		c.ended = none
		for _, p := range c.waiting { // what could have been asked again
			failed[p] = none
		}
		clear(c.waiting)
		c.outbox.clear()
	} else {
		c.leave()
		c.enter(m, l)
		c.figures.Moves++
		c.flush()
	}
	for p, err := range failed {
		p.settle(nil, protocol.AsError(err))
	}
	c.mu.Unlock()
	if old != nil {
		old.Cancel()
	}
	for p := range failed {
		p.tell(time.Since(p.begun))
	}
}

// uncertain is what becomes of a call that may not be asked twice.
func uncertain(method string, cause error) error {
	return protocol.Errorf(protocol.Uncertain, "the line was lost: %w; %s may have been carried out", cause, method)
}

// enter takes an edge. The caller holds mu.
func (c *Conversation) enter(m *line.Member, l *line.Line) {
	c.member, c.line, c.ch = m, l, nil
	c.stage++
}

// beginAnew leaves an edge of which nothing is waited for: the next call takes one.
// The caller holds mu.
func (c *Conversation) beginAnew() {
	c.leave()
	c.line, c.ch = nil, nil
	c.stage++
}

// leave gives the edge back. The caller holds mu.
func (c *Conversation) leave() {
	if c.member != nil {
		c.member.Done()
		c.member = nil
	}
}

// carryOver fills the outbox with what another edge is to be asked, and returns
// the calls that it must not be: what they did may be done. The caller holds mu.
func (c *Conversation) carryOver(undone bool, cause error) (failed map[*Pending]error) {
	failed = map[*Pending]error{}
	unsent := map[uint32]bool{}
	for _, m := range c.outbox.messages {
		unsent[m.call] = true
	}
	answered := map[uint32]*Pending{}
	for _, p := range c.known {
		if c.waiting[p.id] == nil {
			answered[p.id] = p
		}
	}
	c.outbox.messages, c.outbox.data = nil, nil
	for _, id := range slices.Sorted(maps.Keys(c.waiting)) {
		p := c.waiting[id]
		var err error
		switch again := c.line.Welcome().MayAskAgain(p.method); {
		case p.parts != nil && p.parts.begun():
			lost := protocol.Errorf(protocol.Unavailable, "the line was lost in the middle of %s: %w", p.method, cause)
			lost.Retry = again
			err = lost
		case !undone && !unsent[id] && !again:
			err = uncertain(p.method, cause)
		default:
			err = c.askAgain(p, answered, failed)
		}
		if err != nil {
			failed[p] = err
			delete(c.waiting, id)
		}
	}
	return failed
}

// askAgain posts a call for an edge that knows nothing of those before it: what it
// refers to and is here is put in place.
func (c *Conversation) askAgain(p *Pending, answered map[uint32]*Pending, failed map[*Pending]error) error {
	codec := c.line.Codec
	here := func(id uint32) (result protocol.Raw, there bool, err error) {
		on := answered[id]
		if on == nil {
			for f := range failed {
				if f.id == id {
					return nil, true, unresolved(f, failed[f])
				}
			}
			return nil, false, nil
		}
		if on.err != nil {
			return nil, true, unresolved(on, on.err)
		}
		return on.result, true, nil
	}
	how := p.how
	how.After = nil
	for _, id := range p.how.After {
		_, there, err := here(id)
		if err != nil {
			return err
		}
		if !there {
			how.After = append(how.After, id)
		}
	}
	value := p.value
	if how.References {
		how.References = false
		var err error
		value, err = codec.Rewrite(value, func(r protocol.Reference) (protocol.Raw, error) {
			stands, err := codec.Marshal(r)
			if err != nil {
				return nil, err
			}
			result, there, err := here(r.Call)
			if err != nil || !there {
				how.References = how.References || err == nil
				return stands, err
			}
			return codec.Resolve(stands, c.edge.cfg.MaxMessage, func(uint32) (protocol.Raw, error) { return result, nil })
		})
		if err != nil {
			return err
		}
	}
	return c.post(c.line, p.id, protocol.Message{Kind: protocol.KindCall, ID: p.id, Method: p.method, Value: value, How: how})
}

func unresolved(on *Pending, err error) error {
	why := protocol.AsError(err)
	e := protocol.Errorf(protocol.Unresolved, "call %d (%s) failed: %s", on.id, on.method, why)
	e.Retry = why.Retry
	return e
}
