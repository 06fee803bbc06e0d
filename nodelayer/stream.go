package nodelayer

import (
	"context"
	"iter"
	"sync"

	"warmline.dev/protocol"
)

// partsWindow is how many parts of a stream may wait to be taken.
const partsWindow = 32

// Stream asks a method that gives its result in parts, and yields them as they
// come. The method is held up when 32 wait to be taken; other calls are not. A
// part that does not fit T, the call's failure, and the end of ctx are yielded as
// the last, with an error as that of [Call]. Leaving the loop cancels the call.
func Stream[T any](ctx context.Context, c *Conversation, method string, args any, options ...CallOption) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if ctx.Err() != nil {
			yield(none, c.explain(ctx, ctx.Err()))
			return
		}
		s := &parts{changed: make(chan struct{}, 1)}
		p := c.start(ctx, method, args, false, s, options)
		defer p.Cancel() // without effect if it has ended
		for {
			raw, ok, err := p.next(ctx)
			if err != nil {
				yield(none, err)
				return
			}
			if !ok {
				return
			}
			var part T
			if err := decode(protocol.MsgPack, method, raw, &part); err != nil {
				yield(none, err)
				return
			}
			if !yield(part, nil) {
				return
			}
		}
	}
}

// next waits for the next part; ok is false behind the last.
func (p *Pending) next(ctx context.Context) (part protocol.Raw, ok bool, err error) {
	c := p.conv
	c.mu.Lock()
	c.flush()
	c.mu.Unlock()
	for {
		part, ok, ended := p.parts.take()
		if ok {
			if n := p.parts.toGrant(); n > 0 {
				c.grant(p, n)
			}
			return part, true, nil
		}
		if ended {
			return nil, false, p.err
		}
		select {
		case <-p.parts.changed:
		case <-ctx.Done():
			return nil, false, c.explain(ctx, ctx.Err())
		}
	}
}

// grant lets the method give more.
func (c *Conversation) grant(p *Pending, n uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting[p.id] == p {
		_ = c.post(c.line, 0, protocol.Message{Kind: protocol.KindMore, ID: p.id, More: n}) // it always encodes
		c.flush()
	}
}

// parts are those of a stream that wait to be taken.
type parts struct {
	changed chan struct{} // holds one signal: there are more, or no more come

	mu sync.Mutex
	// guarded by mu
	queue []protocol.Raw
	came  bool   // one at least
	taken uint32 // and not granted again
	ended bool
}

// add reports whether the edge had credit for the part.
func (s *parts) add(part protocol.Raw) bool {
	s.mu.Lock()
	s.came = true
	ok := len(s.queue) < partsWindow
	if ok {
		s.queue = append(s.queue, part)
	}
	s.mu.Unlock()
	s.signal()
	return ok
}

func (s *parts) end() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.signal()
}

func (s *parts) begun() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.came
}

func (s *parts) signal() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *parts) take() (part protocol.Raw, ok, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil, false, s.ended
	}
	part = s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	s.taken++
	return part, true, false
}

// toGrant is how many parts to grant, in halves of the window.
func (s *parts) toGrant() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken < partsWindow/2 {
		return 0
	}
	n := s.taken
	s.taken = 0
	return n
}
