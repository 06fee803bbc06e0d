package edgelayer

import (
	"context"
	"sync"
)

// callContext is the context of one call of a conversation. It ends with the
// conversation's, or before that by cancel. A context that can be waited for is
// made only for who asks for one: what is answered from memory does not wait.
type callContext struct {
	context.Context // the conversation's

	mu sync.Mutex
	// guarded by mu
	ended bool
	own   context.Context // nil: nobody has asked
	end   context.CancelFunc
}

var _ context.Context = (*callContext)(nil)

func (c *callContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.own == nil {
		c.own, c.end = context.WithCancel(c.Context)
		if c.ended {
			c.end()
		}
	}
	return c.own.Done()
}

func (c *callContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.own != nil:
		return c.own.Err() // no other before Done is closed, nor after
	case c.ended:
		return context.Canceled
	}
	return c.Context.Err()
}

// Value is how package context finds the one that can be waited for, and needs no
// goroutine to wait for it.
func (c *callContext) Value(key any) any {
	c.mu.Lock()
	own := c.own
	c.mu.Unlock()
	if own != nil {
		return own.Value(key)
	}
	return c.Context.Value(key)
}

func (c *callContext) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.end != nil {
		c.end()
	}
}
