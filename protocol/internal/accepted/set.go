package accepted

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

// Conn is what a [Set] holds. Both methods end the connection and return when its
// goroutines have ended.
type Conn interface {
	comparable
	Shutdown(ctx context.Context) error
	Close() error
}

// Set is the listeners and the connections of a server. Make it with [New]. All
// methods may be called by many goroutines at once.
type Set[C Conn] struct {
	most int
	wg   sync.WaitGroup // a count per connection

	// guarded by mu
	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	conns     map[C]struct{}
	closing   bool
}

// New returns a set that holds so many connections at most.
func New[C Conn](most int) *Set[C] {
	return &Set[C]{most: most, listeners: map[net.Listener]struct{}{}, conns: map[C]struct{}{}}
}

// Serve calls handle with each connection that l accepts, until the set is
// closed, and then returns nil; an error is l's. It closes l.
func (s *Set[C]) Serve(l net.Listener, handle func(nc net.Conn)) error {
	defer func() { _ = l.Close() }() // the loop is over either way
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return nil
	}
	s.listeners[l] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.listeners, l)
	}()
	for {
		nc, err := l.Accept()
		switch {
		case err == nil:
			handle(nc)
		case s.isClosing():
			return nil
		case isTemporary(err):
			time.Sleep(5 * time.Millisecond) // out of descriptors, say: those in use will end
		default:
			return err
		}
	}
}

// isTemporary reports whether accepting may work in a moment, as net/http judges it.
func isTemporary(err error) bool {
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		return true
	}
	t, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err)
	return ok && t.Temporary()
}

func (s *Set[C]) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// Add takes c in, unless the set is closed or full, and reports whether it did.
// Besides says for how many more there is room if the set is full: who adds one
// then has to see whether it may stay, see [Set.Overfull]. Start starts the
// goroutines of c: nobody can end c before. [Set.Remove] has to follow when they
// have ended.
func (s *Set[C]) Add(c C, besides int, start func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || len(s.conns) >= s.most+besides {
		return false
	}
	s.conns[c] = struct{}{}
	s.wg.Add(1)
	start()
	return true
}

// Overfull reports whether the set holds more than it may.
func (s *Set[C]) Overfull() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns) > s.most
}

// Remove lets go of c, which was added.
func (s *Set[C]) Remove(c C) {
	defer s.wg.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// Shutdown closes the listeners, shuts every connection down at the same time
// and returns when all have been removed. When ctx ends first, the connections
// close themselves, and it returns ctx's error.
func (s *Set[C]) Shutdown(ctx context.Context) error {
	s.end(func(c C) { _ = c.Shutdown(ctx) }) // ctx's error is told once, below
	return ctx.Err()
}

// Close closes the listeners and every connection and returns when all have been
// removed. It may be called twice.
func (s *Set[C]) Close() {
	s.end(func(c C) { _ = c.Close() }) // never fails
}

func (s *Set[C]) end(one func(c C)) {
	var wg sync.WaitGroup
	for _, c := range s.stop() {
		wg.Go(func() { one(c) })
	}
	wg.Wait()
	s.wg.Wait()
}

// stop closes the listeners and returns the connections.
func (s *Set[C]) stop() []C {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for l := range s.listeners {
		_ = l.Close() // Serve reports what matters
	}
	return slices.Collect(maps.Keys(s.conns))
}

// Conns returns the connections, in no order.
func (s *Set[C]) Conns() []C {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.conns))
}
