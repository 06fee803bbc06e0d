package peer

import (
	"context"
	"errors"
	"sync"
	"time"
)

// SourceTimeout is the time that a read from the source behind the caches has.
// A hung one costs each value as much, and then there is the old one.
const SourceTimeout = 100 * time.Millisecond

var errHung = errors.New("the source did not answer in time")

// source is what the caches of a server read from. It answers at once, unless it
// hangs.
type source struct {
	mu     sync.Mutex
	healed chan struct{} // guarded by mu: closed when it has; nil: it does not hang
}

func (s *source) hang(hang bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case hang && s.healed == nil:
		s.healed = make(chan struct{})
	case !hang && s.healed != nil:
		close(s.healed)
		s.healed = nil
	}
}

func (s *source) read(ctx context.Context) error {
	s.mu.Lock()
	healed := s.healed
	s.mu.Unlock()
	if healed == nil {
		return nil
	}
	late := time.NewTimer(SourceTimeout)
	defer late.Stop()
	select {
	case <-healed:
		return nil
	case <-late.C:
		return errHung
	case <-ctx.Done():
		return ctx.Err()
	}
}
