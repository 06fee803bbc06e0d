package source

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// times remembers how long the last attempts took. One that was given up because
// the other of a hedge was first counts with the time until then: it would have
// taken longer, and without it every hedge would make the next one come sooner.
type times struct {
	quantile float64      // negative: nobody asks what is slow
	slowest  atomic.Int64 // how long is slow, in ns; 0: too few are known

	mu      sync.Mutex
	last    [256]time.Duration // guarded by mu
	n       int                // guarded by mu: ever added
	scratch [256]time.Duration // guarded by mu
}

const (
	enough = 64 // attempts have to be known before there is a word on the next
	every  = 32 // attempts it is thought over
)

func (t *times) add(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last[t.n%len(t.last)] = d
	t.n++
	if t.quantile > 0 && t.n >= enough && t.n%every == 0 {
		t.slowest.Store(max(int64(at(t.sorted(), t.quantile)), 1))
	}
}

// slow is how long that share of the attempts took at most; 0: not known yet.
func (t *times) slow() time.Duration { return time.Duration(t.slowest.Load()) }

// quantiles are the p50 and the p95 of what is remembered; 0: nothing is.
func (t *times) quantiles() (p50, p95 time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.sorted()
	return at(known, 0.5), at(known, 0.95)
}

// sorted is what is remembered, while mu is held.
func (t *times) sorted() []time.Duration {
	known := t.scratch[:copy(t.scratch[:], t.last[:min(t.n, len(t.last))])]
	slices.Sort(known)
	return known
}

func at(sorted []time.Duration, quantile float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(quantile*float64(len(sorted)-1))]
}
