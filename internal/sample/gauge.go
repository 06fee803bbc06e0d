package sample

import "sync"

// gauge counts what is going on, and keeps the most that ever was. Safe for
// concurrent use; the zero value counts from 0.
type gauge struct {
	mu        sync.Mutex
	now, most int64
}

func (g *gauge) enter() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now++
	g.most = max(g.most, g.now)
}

func (g *gauge) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now--
}

func (g *gauge) get() (now, most int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now, g.most
}
