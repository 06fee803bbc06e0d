package faults

import (
	"slices"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/load"
)

// Report is what a run came to; as JSON it is what the command prints.
type Report struct {
	harness.Head
	Results  []Result  `json:"results"`
	Failures []Failure `json:"failures,omitempty"`
}

// Result is what the rounds say about one contender through one fault: medians, and
// jobs and errors of all rounds together. Latencies are of jobs that were done.
type Result struct {
	Contender string  `json:"contender"`
	Fault     string  `json:"fault"`
	Rate      float64 `json:"rate"`                          // jobs begun a second
	Capacity  float64 `json:"capacity_jobs_per_s,omitempty"` // of one edge, in a closed loop before an overload

	JobsPerSec float64 `json:"jobs_per_s"`
	JobsMin    float64 `json:"jobs_min"`
	JobsMax    float64 `json:"jobs_max"`
	Begun      int64   `json:"jobs"` // of all rounds, begun or due
	Failed     int64   `json:"failed"`
	Errors     float64 `json:"error_ratio"` // failed of begun
	P50        float64 `json:"p50_us"`
	P99        float64 `json:"p99_us"`
	P99Min     float64 `json:"p99_min_us"`
	P99Max     float64 `json:"p99_max_us"`

	Texts    map[string]int64 `json:"errors"`   // of all rounds
	Timeline []load.Bucket    `json:"timeline"` // jobs of all rounds, by when they were due; medians of the rounds' p99
	Events   []Event          `json:"events"`   // of the first round

	Rounds int `json:"rounds"` // that came to something
}

const method = "edges and an adapter, processes of their own for each measurement, on loopback TCP without a round-trip time; " +
	"the adapter begins jobs in an open loop, whatever becomes of them; a job's time counts from when it was due, and it has 2 s; " +
	"latencies are of jobs that were done, failed ones are counted; " +
	"the same edge's code is behind each contender: that stale values are served is the caches' doing; " +
	"contenders take turns within a round, and the order moves from round to round; medians of the rounds, errors of all of them"

func newReport(cfg Config) Report {
	how := harness.Method{Rounds: cfg.Rounds, Duration: cfg.Duration.Seconds(), WarmUp: cfg.WarmUp.Seconds(), Text: method}
	return Report{Head: harness.NewHead("faults", how), Results: []Result{}}
}

// fill computes results.
func (r *Report) fill(cfg Config, samples map[cell][]sample) {
	for _, at := range cfg.cells() {
		if len(samples[at]) > 0 {
			r.Results = append(r.Results, summarize(at, samples[at]))
		}
	}
}

func summarize(at cell, samples []sample) Result {
	of := func(f func(sample) float64) []float64 {
		var values []float64
		for _, s := range samples {
			values = append(values, f(s))
		}
		return values
	}
	median := func(f func(sample) float64) float64 { return harness.Median(of(f)) }
	jobs, p99 := of(func(s sample) float64 { return s.JobsPerSec }), of(func(s sample) float64 { return s.P99 })
	r := Result{
		Contender: at.contender, Fault: at.fault,
		Rate:       median(func(s sample) float64 { return s.rate }),
		Capacity:   median(func(s sample) float64 { return s.capacity }),
		JobsPerSec: harness.Median(jobs), JobsMin: slices.Min(jobs), JobsMax: slices.Max(jobs),
		P50: median(func(s sample) float64 { return s.P50 }),
		P99: harness.Median(p99), P99Min: slices.Min(p99), P99Max: slices.Max(p99),
		Texts: map[string]int64{}, Timeline: timeline(samples), Events: append([]Event{}, samples[0].events...),
		Rounds: len(samples),
	}
	for _, s := range samples {
		r.Begun += s.Begun
		r.Failed += s.Failed
		for text, n := range s.Taken.Errors {
			r.Texts[text] += n
		}
	}
	r.Errors = float64(r.Failed) / float64(r.Begun)
	return r
}

// timeline lays those of all rounds on top of each other.
func timeline(samples []sample) []load.Bucket {
	line := []load.Bucket{}
	for i, b := range samples[0].Timeline {
		sum := load.Bucket{At: b.At}
		var p99 []float64
		for _, s := range samples {
			b := s.Timeline[i]
			sum.OK += b.OK
			sum.Failed += b.Failed
			if b.OK > 0 {
				p99 = append(p99, b.P99)
			}
		}
		if len(p99) > 0 {
			sum.P99 = harness.Median(p99)
		}
		line = append(line, sum)
	}
	return line
}
