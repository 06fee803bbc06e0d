package bus

import (
	"errors"
	"sync"
	"sync/atomic"
)

const (
	maxPending      = 4096    // messages that wait for one subscriber
	maxPendingBytes = 8 << 20 // and their bytes
)

// Subscription is interest in a subject, until [Subscription.Close] or
// [Bus.Close]. Make it with [Bus.Subscribe].
type Subscription struct {
	bus     *Bus
	subject string
	f       func(subject string, data []byte)
	gap     func()

	epoch   atomic.Uint64 // of the connection whose messages are taken
	missing chan struct{} // holds one while a gap is to be told
	over    chan struct{} // closed by end
	told    chan struct{} // closed when tell has ended
	once    sync.Once     // of end

	turn  sync.Mutex // held while f or gap runs
	ended bool       // guarded by turn
}

// Subscribe has f called with each message of a subject, one at a time and in
// order, and gap when messages may have been missed, as the package says; the
// first time when the subscription is in force at the server. What f was not
// called with by the time gap is called may be lost. The two never run at once,
// and while one does, up to 4,096 messages or 8 MiB wait. The data is f's to
// keep. Subscribe itself waits for nothing. The error is about the subject,
// [ErrClosed], or a function that is nil.
func (b *Bus) Subscribe(subject string, f func(subject string, data []byte), gap func()) (*Subscription, error) {
	if err := checkSubject(subject, true); err != nil {
		return nil, err
	}
	if f == nil || gap == nil {
		return nil, errors.New("bus: Subscribe: expected a function for messages and one for gaps")
	}
	s := &Subscription{
		bus: b, subject: subject, f: f, gap: gap,
		missing: make(chan struct{}, 1), over: make(chan struct{}), told: make(chan struct{}),
	}
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil, ErrClosed
	}
	b.subscriptions[s] = struct{}{}
	b.mu.Unlock()
	go s.tell()
	b.wake()
	return s, nil
}

// Close ends the subscription. Neither of its functions runs when it returns, so
// neither may call it. It may be called twice, and after [Bus.Close].
func (s *Subscription) Close() {
	s.bus.mu.Lock()
	delete(s.bus.subscriptions, s)
	s.bus.mu.Unlock()
	s.bus.wake()
	s.end()
}

func (s *Subscription) end() {
	s.once.Do(func() {
		close(s.over)
		s.turn.Lock()
		s.ended = true
		s.turn.Unlock()
	})
	<-s.told
}

// take gives a message to f, unless it comes from a connection that is not the
// last: the gap that follows makes up for it.
func (s *Subscription) take(epoch uint64, subject string, data []byte) {
	s.turn.Lock()
	defer s.turn.Unlock()
	switch {
	case s.ended || s.epoch.Load() != epoch:
	case len(data) > MaxMessage: // a server's own limit may be higher
		s.missed(1)
	default:
		s.f(subject, data)
		s.bus.counts.delivered.Add(1)
	}
}

// missed notes that messages were, so many of them for certain.
func (s *Subscription) missed(dropped int) {
	s.bus.counts.dropped.Add(uint64(dropped))
	select {
	case s.missing <- struct{}{}:
	default: // the gap that is still to be told covers this one
	}
}

// tell calls gap. Who notices a gap must not wait for it.
func (s *Subscription) tell() {
	defer close(s.told)
	for {
		select {
		case <-s.missing:
		case <-s.over:
			return
		}
		s.turn.Lock()
		if !s.ended {
			s.bus.counts.gaps.Add(1)
			s.gap()
		}
		s.turn.Unlock()
	}
}
