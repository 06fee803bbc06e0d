package main

import (
	"sync"
	"time"
)

// busy counts what is under way, so that the program ends when nothing is. The
// zero value is ready.
type busy struct {
	mu     sync.Mutex
	n      int
	ending bool
	idle   chan struct{} // made by drain, closed when n comes to 0
}

// enter counts one more, unless the program is ending.
func (b *busy) enter() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ending {
		return false
	}
	b.n++
	return true
}

// stay counts one more for one that has entered.
func (b *busy) stay() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n++
}

func (b *busy) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.n--; b.n == 0 && b.idle != nil {
		close(b.idle)
	}
}

// drain lets nobody enter any more and waits for those inside, so long at most.
// It is called once.
func (b *busy) drain(most time.Duration) {
	b.mu.Lock()
	b.ending = true
	b.idle = make(chan struct{})
	if b.n == 0 {
		close(b.idle)
	}
	b.mu.Unlock()
	select {
	case <-b.idle:
	case <-time.After(most):
	}
}
