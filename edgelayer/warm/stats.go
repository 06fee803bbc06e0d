package warm

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Stats are a cache's figures since it was made.
type Stats struct {
	Entries int   `json:"entries"`
	Bytes   int64 `json:"bytes"`     // that they take
	Most    int64 `json:"max_bytes"` // that they may take

	Hits      int64 `json:"hits"`       // answered from memory; that a key has no value, too
	Misses    int64 `json:"misses"`     // had to be loaded
	Stale     int64 `json:"stale"`      // answered with what was past its TTL
	Fallbacks int64 `json:"fallbacks"`  // answered with the static value
	Loads     int64 `json:"loads"`      // requests to the source, with one key or many
	Failures  int64 `json:"failures"`   // loads that failed
	Refreshes int64 `json:"refreshes"`  // values loaded anew behind an answer
	Evictions int64 `json:"evictions"`  // for want of room
	Dropped   int64 `json:"dropped"`    // by invalidation
	Taken     int64 `json:"taken_over"` // from another edge

	LoadP50 float64 `json:"load_p50_ms"` // of loads
	LoadP99 float64 `json:"load_p99_ms"`
	LoadSum float64 `json:"load_sum_ms"`
	Age     float64 `json:"age_s"` // of a value, on average, seconds
}

// figures are counted here; otter counts the rest.
type figures struct {
	outdated, stale, fallbacks, refreshes, dropped, taken atomic.Int64
	// Keys that were peeked at in vain: one that was not there, and those that were,
	// besides one that was not. Otter counts them, and again when they are asked for.
	passed, unused atomic.Int64

	mu sync.Mutex
	// guarded by mu
	times           *hdrhistogram.Histogram // of loads, microseconds; nil: there was none
	loads, failures int64
	sum             time.Duration
	hits, misses    int64 // that were told last
}

// loaded counts a load.
func (f *figures) loaded(took time.Duration, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.times == nil {
		f.times = hdrhistogram.New(1, time.Minute.Microseconds(), 2)
	}
	_ = f.times.RecordValue(min(took, time.Minute).Microseconds())
	f.sum += took
	f.loads++
	if err != nil && !isAnswer(err) && !gaveUp(err) {
		f.failures++
	}
}

// Stats returns the figures now. It looks at up to a thousand entries.
func (c *Cache[V]) Stats() Stats {
	counted := c.counts.Snapshot()
	f := &c.figures
	outdated, passed, unused := f.outdated.Load(), f.passed.Load(), f.unused.Load()
	s := Stats{
		Entries: c.kept.EstimatedSize(), Bytes: int64(c.kept.WeightedSize()), Most: c.cfg.MaxBytes,
		Hits: int64(counted.Hits) - outdated - unused, Misses: int64(counted.Misses) + outdated - passed, Stale: f.stale.Load(),
		Fallbacks: f.fallbacks.Load(), Refreshes: f.refreshes.Load(), Evictions: int64(counted.Evictions),
		Dropped: f.dropped.Load(), Taken: f.taken.Load(), Age: c.age().Seconds(),
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	// What turns out to be outdated, or was only peeked at, is counted for a moment.
	f.hits, f.misses = max(f.hits, s.Hits), max(f.misses, s.Misses)
	s.Hits, s.Misses = f.hits, f.misses
	s.Loads, s.Failures, s.LoadSum = f.loads, f.failures, f.sum.Seconds()*1000
	if f.times != nil {
		s.LoadP50 = float64(f.times.ValueAtQuantile(50)) / 1000
		s.LoadP99 = float64(f.times.ValueAtQuantile(99)) / 1000
	}
	return s
}

// age is that of values on average, of the first thousand that are met.
func (c *Cache[V]) age() time.Duration {
	const most = 1000
	now, sum, n := c.now(), time.Duration(0), time.Duration(0)
	for _, e := range c.kept.All() {
		if n++; n > most {
			n--
			break
		}
		sum += now - e.loaded
	}
	if n == 0 {
		return 0
	}
	return sum / n
}
