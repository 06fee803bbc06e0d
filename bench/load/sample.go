package load

import (
	"errors"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Sample is what a load came to. Times are of jobs that were done, however late,
// in microseconds.
type Sample struct {
	Begun      int64   `json:"begun"`
	Done       int64   `json:"done"`
	Failed     int64   `json:"failed"`
	JobsPerSec float64 `json:"jobs_per_s"` // done within the duration
	P50        float64 `json:"p50_us"`
	P90        float64 `json:"p90_us"`
	P99        float64 `json:"p99_us"`
	P999       float64 `json:"p999_us"`
	// Errors are the texts of some failures, and how many there were of each.
	Errors map[string]int64 `json:"errors,omitempty"`
	// Timeline has the jobs by when they were due.
	Timeline []Bucket `json:"timeline,omitempty"`
}

// Complete is an error if a job has failed, or none was done.
func (s Sample) Complete() error {
	for text, n := range s.Errors {
		return fmt.Errorf("%d of %d jobs failed, %d of them with: %s", s.Failed, s.Begun, n, text)
	}
	if s.Done == 0 {
		return errors.New("no job was done")
	}
	return nil
}

// Bucket is a part of the timeline.
type Bucket struct {
	At     int64   `json:"t_ms"` // since the load began
	OK     int64   `json:"ok"`
	Failed int64   `json:"failed"`
	P99    float64 `json:"p99_us"` // of those that were done
}

// tally is what one goroutine counts.
type tally struct {
	latency *hdrhistogram.Histogram
	inTime  int64
	failed  int64
	errors  map[string]int64
	line    []bucket
}

type bucket struct {
	failed  int64
	latency *hdrhistogram.Histogram // nil: none was done
}

// From 1 µs to two minutes, within 1 %.
func histogram() *hdrhistogram.Histogram {
	const least, most, digits = 1000, int64(2 * time.Minute), 2
	return hdrhistogram.New(least, most, digits)
}

// mostErrors is how many different texts are kept.
const mostErrors = 20

func newTally(cfg Config) *tally {
	t := &tally{latency: histogram(), errors: map[string]int64{}}
	if cfg.Bucket > 0 {
		t.line = make([]bucket, (cfg.Duration+cfg.Bucket-1)/cfg.Bucket)
	}
	return t
}

// count counts a job that was due, and over, so long after the beginning.
func (t *tally) count(cfg Config, due, over time.Duration, err error) {
	var b *bucket
	if t.line != nil {
		b = &t.line[min(int(due/cfg.Bucket), len(t.line)-1)]
	}
	if err != nil {
		t.failed++
		text := err.Error()
		if len(text) > 200 {
			text = text[:200] + "…"
		}
		if _, known := t.errors[text]; known || len(t.errors) < mostErrors {
			t.errors[text]++
		} else {
			t.errors["others"]++
		}
		if b != nil {
			b.failed++
		}
		return
	}
	_ = t.latency.RecordValue(int64(over - due)) // fails above two minutes, and a job has a timeout
	if over <= cfg.Duration {
		t.inTime++
	}
	if b != nil {
		if b.latency == nil {
			b.latency = histogram()
		}
		_ = b.latency.RecordValue(int64(over - due)) // as above
	}
}

// merge adds another's counts.
func (t *tally) merge(o *tally) {
	t.latency.Merge(o.latency) // drops nothing: they are of one geometry
	t.inTime += o.inTime
	t.failed += o.failed
	for text, n := range o.errors {
		t.errors[text] += n
	}
	for i, b := range o.line {
		t.line[i].failed += b.failed
		switch {
		case b.latency == nil:
		case t.line[i].latency == nil:
			t.line[i].latency = b.latency
		default:
			t.line[i].latency.Merge(b.latency)
		}
	}
}

func (t *tally) sample(cfg Config) Sample {
	s := Sample{
		Done: t.latency.TotalCount(), Failed: t.failed, JobsPerSec: float64(t.inTime) / cfg.Duration.Seconds(), Errors: t.errors,
		P50: quantile(t.latency, 50), P90: quantile(t.latency, 90), P99: quantile(t.latency, 99), P999: quantile(t.latency, 99.9),
	}
	s.Begun = s.Done + s.Failed
	for i, b := range t.line {
		at := Bucket{At: (time.Duration(i) * cfg.Bucket).Milliseconds(), Failed: b.failed}
		if b.latency != nil {
			at.OK, at.P99 = b.latency.TotalCount(), quantile(b.latency, 99)
		}
		s.Timeline = append(s.Timeline, at)
	}
	return s
}

func quantile(h *hdrhistogram.Histogram, q float64) float64 {
	return float64(h.ValueAtQuantile(q)) / 1e3
}
