package rsocket

import (
	"context"
	"sync"
	"time"
)

// requestContext is the context of one inbound request. It ends when the peer
// cancels, the connection is lost, or the handler has returned. It is part of
// the request's own allocation, and its channel is made only for who asks.
type requestContext struct {
	mu    sync.Mutex
	ended bool
	done  chan struct{}
	after []*func() // to be run when it ends
}

var _ context.Context = (*requestContext)(nil)

// Deadline reports that there is none: RSocket knows no time limit.
func (c *requestContext) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }

// Done is closed when the request is over.
func (c *requestContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.ended {
			close(c.done)
		}
	}
	return c.done
}

// Err is context.Canceled once the request is over.
func (c *requestContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return context.Canceled
	}
	return nil
}

// Value knows no key.
func (c *requestContext) Value(any) any { return nil }

// AfterFunc runs f on a goroutine of its own when the context ends, as
// [context.AfterFunc] says. With it, contexts derived from this one cost no
// goroutine that waits.
func (c *requestContext) AfterFunc(f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		go f()
		return func() bool { return false }
	}
	entry := &f
	c.after = append(c.after, entry)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i, e := range c.after {
			if e == entry {
				c.after = append(c.after[:i], c.after[i+1:]...)
				return true
			}
		}
		return false
	}
}

func (c *requestContext) end() {
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return
	}
	c.ended = true
	if c.done != nil {
		close(c.done)
	}
	after := c.after
	c.after = nil
	c.mu.Unlock()
	for _, f := range after {
		go (*f)()
	}
}
