package job

import (
	"fmt"
	"slices"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/link"
)

// Report is what a run came to; as JSON it is what the command prints.
type Report struct {
	harness.Head
	Links    []link.Added  `json:"links,omitempty"` // what they add to the round-trip times, by themselves
	Results  []Result      `json:"results"`
	Bars     []harness.Bar `json:"bars"`
	Failures []Failure     `json:"failures,omitempty"`
}

// Result is what the rounds say about one contender under one load: medians, and
// the slowest and the fastest round.
type Result struct {
	Contender   string  `json:"contender"`
	RTT         float64 `json:"rtt_ms"` // between adapter and edge
	Mode        string  `json:"mode"`
	Rate        float64 `json:"rate"`        // of the open loop, jobs begun a second
	Concurrency int     `json:"concurrency"` // of the closed loop, jobs under way

	JobsPerSec float64 `json:"jobs_per_s"`
	JobsMin    float64 `json:"jobs_min"`
	JobsMax    float64 `json:"jobs_max"`
	P50        float64 `json:"p50_us"`
	P50Min     float64 `json:"p50_min_us"`
	P50Max     float64 `json:"p50_max_us"`
	P90        float64 `json:"p90_us"`
	P99        float64 `json:"p99_us"`
	P999       float64 `json:"p999_us"`

	CPU           float64 `json:"cpu_us_per_job"` // of both tiers
	CPUMin        float64 `json:"cpu_min_us"`
	CPUMax        float64 `json:"cpu_max_us"`
	CPUAdapter    float64 `json:"cpu_adapter_us"`
	CPUEdge       float64 `json:"cpu_edge_us"`
	AllocsAdapter float64 `json:"allocs_adapter"` // a job
	AllocsEdge    float64 `json:"allocs_edge"`
	Bytes         float64 `json:"bytes_per_job"` // of TCP's, both ways; 0: not known
	Errors        float64 `json:"error_ratio"`   // of the open loop: jobs that failed, or could not be begun, of all

	LinkLate float64 `json:"link_late_p50_us"` // of the link, each way, under this load; 0: there is none

	Rounds int `json:"rounds"` // that came to something
}

const method = "a server and a client process for each measurement, on loopback TCP, caches warm; " +
	"the client is the adapter and begins the jobs itself; a link of its own process makes the round-trip time; " +
	"contenders take turns within a round, and the order moves from round to round; medians of the rounds; " +
	"in an open loop a job's time counts from when it was due"

func newReport(cfg Config) Report {
	how := harness.Method{Rounds: cfg.Rounds, Duration: cfg.Duration.Seconds(), WarmUp: cfg.WarmUp.Seconds(), Text: method}
	return Report{Head: harness.NewHead("job", how), Results: []Result{}, Bars: []harness.Bar{}}
}

// fill computes results and bars.
func (r *Report) fill(cfg Config, samples map[cell][]sample) {
	for _, at := range cfg.cells() {
		if len(samples[at]) > 0 {
			r.Results = append(r.Results, summarize(cfg, at, samples[at]))
		}
	}
	r.Bars = append(r.Bars, judge(r.Results)...)
}

func summarize(cfg Config, at cell, samples []sample) Result {
	of := func(f func(sample) float64) []float64 {
		var values []float64
		for _, s := range samples {
			values = append(values, f(s))
		}
		return values
	}
	median := func(f func(sample) float64) float64 { return harness.Median(of(f)) }
	perJob := func(f func(sample) float64) []float64 {
		return of(func(s sample) float64 { return f(s) / float64(s.Done) })
	}
	adapter := func(s sample) float64 { return float64(s.Adapter.CPU.Nanoseconds()) / 1e3 }
	edge := func(s sample) float64 { return float64(s.Edge.CPU.Nanoseconds()) / 1e3 }
	jobs, p50 := of(func(s sample) float64 { return s.JobsPerSec }), of(func(s sample) float64 { return s.P50 })
	cpu := perJob(func(s sample) float64 { return adapter(s) + edge(s) })
	r := Result{
		Contender: at.contender, RTT: millis(at.rtt), Mode: at.mode,
		JobsPerSec: harness.Median(jobs), JobsMin: slices.Min(jobs), JobsMax: slices.Max(jobs),
		P50: harness.Median(p50), P50Min: slices.Min(p50), P50Max: slices.Max(p50),
		P90:  median(func(s sample) float64 { return s.P90 }),
		P99:  median(func(s sample) float64 { return s.P99 }),
		P999: median(func(s sample) float64 { return s.P999 }),
		CPU:  harness.Median(cpu), CPUMin: slices.Min(cpu), CPUMax: slices.Max(cpu),
		CPUAdapter:    harness.Median(perJob(adapter)),
		CPUEdge:       harness.Median(perJob(edge)),
		AllocsAdapter: harness.Median(perJob(func(s sample) float64 { return float64(s.Adapter.Mallocs) })),
		AllocsEdge:    harness.Median(perJob(func(s sample) float64 { return float64(s.Edge.Mallocs) })),
		Bytes:         harness.Median(perJob(func(s sample) float64 { return float64(s.Edge.Bytes) })),
		Errors:        median(func(s sample) float64 { return float64(s.Failed) / float64(s.Begun) }),
		LinkLate:      median(func(s sample) float64 { return s.Late.P50 }),
		Rounds:        len(samples),
	}
	if at.mode == Open {
		r.Rate = samples[0].rate
	} else {
		r.Concurrency = cfg.Concurrency
	}
	return r
}

// Err is nil if every measurement came to something.
func (r Report) Err() error {
	if len(r.Failures) == 0 {
		return nil
	}
	f := r.Failures[0]
	return fmt.Errorf("%d measurements came to nothing, the first: %s, %g ms round trip, %s loop: %s", len(r.Failures), f.Contender, f.RTT, f.Mode, f.Error)
}
