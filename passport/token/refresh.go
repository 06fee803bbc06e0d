package token

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// keys are what is held of the issuer's, and how they come.
type keys struct {
	current atomic.Pointer[keySet] // nil: none yet

	mu     sync.Mutex
	flight chan struct{} // closed when the fetch under way has ended; nil: none is
	begun  time.Time     // when the last one was
	loaded time.Time     // when current was had
	err    error         // why the last fetch failed
}

// Status is how a verifier is off.
type Status struct {
	// Keys are how many there are to verify with.
	Keys int
	// Loaded is when they were had; the zero time is never.
	Loaded time.Time
	// Err is why the last fetch failed, nil if it didn't.
	Err error

	made time.Time
}

// Age is how long ago the keys were had, or the verifier made if they never were.
func (s Status) Age(now time.Time) time.Duration {
	since := s.Loaded
	if since.IsZero() {
		since = s.made
	}
	return max(0, now.Sub(since))
}

// Status tells how old the keys are, and whether they can be had.
func (v *Verifier) Status() Status {
	k := &v.keys
	k.mu.Lock()
	defer k.mu.Unlock()
	s := Status{Loaded: k.loaded, Err: k.err, made: v.made}
	if set := k.current.Load(); set != nil {
		s.Keys = len(set.all)
	}
	return s
}

// run fetches the keys from time to time, for the first time after flight.
func (v *Verifier) run(flight <-chan struct{}) {
	for {
		await(v.ctx, flight)
		select {
		case <-time.After(v.next()):
		case <-v.ctx.Done():
			return
		}
		flight = v.begin(true)
	}
}

// next is how long it is to the next fetch.
func (v *Verifier) next() time.Duration {
	if v.Status().Err != nil {
		return v.cfg.Cooldown
	}
	return v.cfg.Refresh*9/10 + rand.N(v.cfg.Refresh/5+1) // gateways that start together don't go on so
}

// begin begins to fetch the keys, if that isn't under way, and returns what is
// closed when it has ended. It is nil for none: after Close and, without must,
// shortly after the one before.
func (v *Verifier) begin(must bool) <-chan struct{} {
	k := &v.keys
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.flight != nil {
		return k.flight
	}
	if v.ctx.Err() != nil || !must && time.Since(k.begun) < v.cfg.Cooldown {
		return nil
	}
	k.flight, k.begun = make(chan struct{}), time.Now()
	v.running.Go(v.load)
	return k.flight
}

// await returns when flight, if there is one, or ctx has ended.
func await(ctx context.Context, flight <-chan struct{}) {
	if flight == nil {
		return
	}
	select {
	case <-flight:
	case <-ctx.Done():
	}
}

// load fetches once. Its context is nobody's who waits: others wait too.
func (v *Verifier) load() {
	set, err := v.fetch(v.ctx)
	k := &v.keys
	k.mu.Lock()
	defer k.mu.Unlock()
	if v.ctx.Err() == nil {
		v.tell(k.err, err)
	}
	if k.err = err; err == nil {
		k.loaded = time.Now()
		k.current.Store(set)
	}
	close(k.flight)
	k.flight = nil
}

// tell logs what has changed.
func (v *Verifier) tell(before, now error) {
	switch {
	case now != nil && before == nil:
		v.cfg.Log.Warn().Str("issuer", v.cfg.Issuer).Err(now).Msg("the keys of tokens can't be had; the last ones count")
	case now == nil && before != nil:
		v.cfg.Log.Info().Str("issuer", v.cfg.Issuer).Msg("the keys of tokens are here again")
	}
}
