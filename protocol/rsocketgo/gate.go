package rsocketgo

import "sync"

// gate counts the goroutines that are inside the library, where they may put a
// frame into its queue. rsocket-go closes that queue under whoever does; so the
// gate is closed first, and empty.
type gate struct {
	// guarded by mu
	mu     sync.Mutex
	inside int
	closed bool
	empty  chan struct{} // closed when nobody is inside any more
}

func newGate() gate { return gate{empty: make(chan struct{})} }

// enter lets the caller in, unless the gate is closed; then leave must follow.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.inside++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside--; g.inside == 0 && g.closed {
		close(g.empty)
	}
}

// close lets nobody in any more. It is called once.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	if g.inside == 0 {
		close(g.empty)
	}
}
