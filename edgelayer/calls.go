package edgelayer

import (
	"context"
	"math"
	"slices"
	"sync"

	"warmline.dev/protocol"
)

// calls are those of a conversation that run, and those whose results are kept
// for calls that refer to them.
type calls struct {
	most int // that run at once

	mu sync.Mutex
	// guarded by mu
	byID      map[uint32]*asked
	begun     bool // one was admitted
	running   int
	answering int // calls that have run and whose answer waits to be sent
}

// asked is one call.
type asked struct {
	c      *conversation
	m      protocol.Message
	ctx    callContext
	waits  []*asked // for these, which came before it
	depth  int      // 1 more than the deepest of these
	credit credit   // for parts

	done  chan struct{} // closed when what follows is set; nil: it was before anybody had to wait, guarded by the calls' mu
	ended bool
	out   outcome

	// the worker's, and then the outbox's
	seen    bool // the conversation's view had it
	givenUp bool // the adapter has cancelled the call, or gone: it hears of a change at most
}

const (
	maxDepth = 32 // of calls that wait for calls
	maxWaits = 64 // calls that one waits for
)

// admit takes a place among the running calls, behind those that it waits for.
// One that is cancelled keeps its place until its method has returned.
func (s *calls) admit(a *asked, refs []uint32) (inUse bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, used := s.byID[a.m.ID]; used {
		return true, protocol.Errorf(protocol.InvalidArgument, "call id %d is in use", a.m.ID)
	}
	if s.running >= s.most || s.running+s.answering >= 2*s.most {
		return false, protocol.Errorf(protocol.Overloaded, "%d calls of this conversation are running already", s.most)
	}
	for _, id := range refs {
		if err := s.wait(a, id); err != nil {
			return false, err
		}
	}
	for _, id := range a.m.How.After {
		if err := s.wait(a, id); err != nil {
			return false, err
		}
	}
	if s.byID == nil {
		s.byID = map[uint32]*asked{}
	}
	s.byID[a.m.ID] = a
	s.begun = true
	s.running++
	return false, nil
}

// mayAnswer reports whether a call can be answered at once that would be admitted.
func (s *calls) mayAnswer(id uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, used := s.byID[id]
	return !used && s.running < s.most && s.running+s.answering < 2*s.most
}

// ready reports whether what a call waits for is there.
func (s *calls) ready(a *asked) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !slices.ContainsFunc(a.waits, func(on *asked) bool { return !on.ended || on.out.err != nil })
}

// wait makes a wait for another call, of which it has to know.
func (s *calls) wait(a *asked, id uint32) error {
	on := s.byID[id]
	switch {
	case on == nil:
		return protocol.Errorf(protocol.Unresolved, "call %d: it has not come, or its result was not to be kept", id)
	case slices.Contains(a.waits, on):
		return nil
	case len(a.waits) == maxWaits:
		return protocol.Errorf(protocol.TooLarge, "it waits for more than %d calls", maxWaits)
	case on.depth == maxDepth:
		return protocol.Errorf(protocol.TooLarge, "it waits for call %d, which is the last of %d that wait for one another", id, maxDepth)
	}
	if on.done == nil && !on.ended {
		on.done = make(chan struct{})
	}
	a.waits = append(a.waits, on)
	a.depth = max(a.depth, on.depth+1)
	return nil
}

// ended gives the place back, and the id unless the result is kept, before the
// answer is sent: an adapter that has the answer may use them at once.
func (s *calls) ended(a *asked, out outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.out, a.ended = out, true
	a.waits, a.m.How.After, a.m.Value = nil, nil, nil // what is kept is the result
	if a.done != nil {
		close(a.done)
	}
	if !a.m.How.Keep {
		delete(s.byID, a.m.ID)
	}
	s.running--
	s.answering++
}

// any reports whether a call runs or has run.
func (s *calls) any() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun
}

// late says that a call was answered at once, and the answer waits to be sent.
func (s *calls) late() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answering++
}

// answered says that so many answers have been sent, or never will be.
func (s *calls) answered(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answering -= n
}

func (s *calls) find(id uint32) *asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id]
}

// stop cancels a call; one that has ended is nobody's concern.
func (s *calls) stop(id uint32) {
	if a := s.find(id); a != nil {
		a.ctx.cancel()
	}
}

// grant lets a call give more parts.
func (s *calls) grant(id, more uint32) {
	if a := s.find(id); a != nil {
		a.credit.add(more)
	}
}

// credit counts the parts that the adapter still takes. Its zero value is none.
type credit struct {
	mu   sync.Mutex
	left uint64        // guarded by mu
	more chan struct{} // guarded by mu; closed when there are more, nil while nobody waits
}

func (c *credit) add(n uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = min(c.left+uint64(n), math.MaxUint32)
	if c.more != nil && c.left > 0 {
		close(c.more)
		c.more = nil
	}
}

// take waits for one.
func (c *credit) take(ctx context.Context) error {
	for {
		c.mu.Lock()
		if c.left > 0 {
			c.left--
			c.mu.Unlock()
			return nil
		}
		if c.more == nil {
			c.more = make(chan struct{})
		}
		more := c.more
		c.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
