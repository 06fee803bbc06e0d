package link

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Late is by how much a link was too slow: from when a piece should have been
// passed on to when it was. Bytes that had to wait because their receiver takes no
// more count from when they came.
type Late struct {
	Pieces int64   `json:"pieces"` // that were passed on, either way
	P50    float64 `json:"late_p50_us"`
	P99    float64 `json:"late_p99_us"`
}

// lateness collects what a Late is made of.
type lateness struct {
	mu     sync.Mutex
	values *hdrhistogram.Histogram // guarded by mu
}

func newLateness() *lateness {
	const least, most, digits = 100, int64(time.Minute), 2 // like the latencies of the benches
	return &lateness{values: hdrhistogram.New(least, most, digits)}
}

func (l *lateness) record(late time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.values.RecordValue(int64(late)) // fails above a minute, and nothing may take as long
}

// take returns what there is, and begins anew.
func (l *lateness) take() Late {
	l.mu.Lock()
	defer l.mu.Unlock()
	micros := func(quantile float64) float64 { return float64(l.values.ValueAtQuantile(quantile)) / 1e3 }
	late := Late{Pieces: l.values.TotalCount(), P50: micros(50), P99: micros(99)}
	l.values.Reset()
	return late
}
