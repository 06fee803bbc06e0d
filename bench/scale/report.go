package scale

import (
	"fmt"
	"math"
	"slices"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/job/contender"
)

// Report is what a run came to; as JSON it is what the command prints.
type Report struct {
	harness.Head
	Results  []Result      `json:"results"`
	Bars     []harness.Bar `json:"bars"` // none so far
	Failures []Failure     `json:"failures,omitempty"`
}

// Result is what the rounds say about one contender with so many lines or open
// conversations: medians, and for the processor time the cheapest and the dearest
// round. Memory is what the processes hold resident, 0: not known.
type Result struct {
	Contender   string `json:"contender"`
	Of          string `json:"of"`
	N           int    `json:"n"`
	Concurrency int    `json:"concurrency"` // jobs under way

	CPU        float64 `json:"cpu_us_per_job"` // of both tiers
	CPUMin     float64 `json:"cpu_min_us"`
	CPUMax     float64 `json:"cpu_max_us"`
	CPUAdapter float64 `json:"cpu_adapter_us"`
	CPUEdge    float64 `json:"cpu_edge_us"`
	P50        float64 `json:"p50_us"`
	P99        float64 `json:"p99_us"`

	AdapterBytes     float64 `json:"adapter_bytes"`
	EdgeBytes        float64 `json:"edge_bytes"`
	AdapterBytesEach float64 `json:"adapter_bytes_each"` // for one more than the smallest N has
	EdgeBytesEach    float64 `json:"edge_bytes_each"`

	Rounds int `json:"rounds"` // that came to something
}

const method = "a server and a client process for each contender of a round, and another pair for conversations, on loopback TCP, caches warm; " +
	"the client opens so many lines or conversations, and does jobs by the lines in turn, or by one line beside the conversations, the end of a job begins the next; " +
	"a conversation has asked one question and stays open, and some are asked again before they count; " +
	"memory is what is resident after a collection of garbage, without what the system holds for sockets; " +
	"contenders take turns within a round, and the order moves from round to round; medians of the rounds"

func newReport(cfg Config) Report {
	how := harness.Method{Rounds: cfg.Rounds, Duration: cfg.Duration.Seconds(), WarmUp: cfg.WarmUp.Seconds(), Text: method}
	r := Report{Head: harness.NewHead("scale", how), Results: []Result{}, Bars: []harness.Bar{}}
	for _, c := range contender.All() {
		if slices.Contains(cfg.Contenders, c.Name) {
			c.AddTo(&r.Head)
		}
	}
	return r
}

// fill computes the results.
func (r *Report) fill(cfg Config, samples map[cell][]sample) {
	for _, s := range cfg.series() {
		for _, n := range s.numbers {
			at := cell{s.contender, s.of, n}
			if len(samples[at]) > 0 {
				r.Results = append(r.Results, summarize(cfg, at, samples[at]))
			}
		}
	}
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
	bytes := func(f func(sample) float64) float64 { return math.Round(median(f)) }
	adapter := func(s sample) float64 { return float64(s.Adapter.CPU.Nanoseconds()) / 1e3 / float64(s.Done) }
	edge := func(s sample) float64 { return float64(s.Edge.CPU.Nanoseconds()) / 1e3 / float64(s.Done) }
	cpu := of(func(s sample) float64 { return adapter(s) + edge(s) })
	return Result{
		Contender: at.contender, Of: at.of, N: at.n, Concurrency: cfg.Concurrency,
		CPU: harness.Median(cpu), CPUMin: slices.Min(cpu), CPUMax: slices.Max(cpu),
		CPUAdapter:       median(adapter),
		CPUEdge:          median(edge),
		P50:              median(func(s sample) float64 { return s.P50 }),
		P99:              median(func(s sample) float64 { return s.P99 }),
		AdapterBytes:     bytes(func(s sample) float64 { return s.adapterBytes }),
		EdgeBytes:        bytes(func(s sample) float64 { return s.edgeBytes }),
		AdapterBytesEach: bytes(func(s sample) float64 { return s.adapterEach }),
		EdgeBytesEach:    bytes(func(s sample) float64 { return s.edgeEach }),
		Rounds:           len(samples),
	}
}

// Err is nil if every measurement came to something.
func (r Report) Err() error {
	if len(r.Failures) == 0 {
		return nil
	}
	return fmt.Errorf("%d measurements came to nothing, the first: %v: %s", len(r.Failures), r.Failures[0], r.Failures[0].Error)
}
