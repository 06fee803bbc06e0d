// Package waiting lets caches and sources say that a call waits for a mid-tier
// service: meanwhile it is none of those that keep the edge busy.
package waiting

import "context"

// Waiter is told when a call begins to wait, and when it goes on. Several waits of
// one call may overlap. Its methods are safe for concurrent use.
type Waiter interface {
	Wait()
	Resume()
}

// Key is what a context has its Waiter under.
type Key struct{}

// Begin says that the call of ctx waits, until end is called.
func Begin(ctx context.Context) (end func()) {
	w, ok := ctx.Value(Key{}).(Waiter)
	if !ok {
		return func() {}
	}
	w.Wait()
	return w.Resume
}
