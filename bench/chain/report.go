package chain

import (
	"fmt"
	"slices"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/link"
	"warmline.dev/bench/peer"
)

// Report is what a run came to; as JSON it is what the command prints.
type Report struct {
	harness.Head
	Links    []link.Added  `json:"links,omitempty"` // what they add to the round-trip times, by themselves
	Results  []Result      `json:"results"`
	Bars     []harness.Bar `json:"bars"` // none so far
	Failures []Failure     `json:"failures,omitempty"`
}

// Result is what the rounds say about one contender's jobs of one size: medians,
// and the fastest and the slowest round. Times are in microseconds.
type Result struct {
	Contender   string  `json:"contender"`
	RTT         float64 `json:"rtt_ms"` // between adapter and edge
	Shape       string  `json:"shape"`
	N           int     `json:"n"`           // depth of a chain, width of a fan
	Concurrency int     `json:"concurrency"` // jobs under way

	P50    float64 `json:"p50_us"`
	P50Min float64 `json:"p50_min_us"`
	P50Max float64 `json:"p50_max_us"`
	P99    float64 `json:"p99_us"`

	LinkLate float64 `json:"link_late_p50_us"` // of the link, each way, meanwhile; 0: there is none

	Jobs   int64 `json:"jobs"`   // of which the times are, of all rounds
	Rounds int   `json:"rounds"` // that came to something
}

const method = "a server and a client process for each contender and round trip time of a round, on loopback TCP; " +
	"the client is the adapter and begins the jobs itself, the end of one begins the next; " +
	"a link of its own process makes the round-trip time; " +
	"a question is for the number after another, so that nothing is measured but the asking; " +
	"contenders take turns within a round, and the order moves from round to round; medians of the rounds"

func newReport(cfg Config) Report {
	how := harness.Method{Rounds: cfg.Rounds, Duration: cfg.Duration.Seconds(), WarmUp: cfg.WarmUp.Seconds(), Text: method}
	r := Report{Head: harness.NewHead("chain", how), Results: []Result{}, Bars: []harness.Bar{}}
	for _, name := range cfg.names() {
		if c, err := contender.Find(name); err == nil {
			c.AddTo(&r.Head)
		}
	}
	return r
}

// fill computes the results.
func (r *Report) fill(cfg Config, samples map[cell][]peer.Measured) {
	for _, at := range cfg.cells() {
		if len(samples[at]) > 0 {
			r.Results = append(r.Results, summarize(cfg, at, samples[at]))
		}
	}
}

func summarize(cfg Config, at cell, samples []peer.Measured) Result {
	r := Result{Contender: at.contender, RTT: millis(at.rtt), Shape: at.shape, N: at.n, Concurrency: cfg.Concurrency, Rounds: len(samples)}
	var p50, p99, late []float64
	for _, s := range samples {
		p50, p99, late = append(p50, s.P50), append(p99, s.P99), append(late, s.Late.P50)
		r.Jobs += s.Done
	}
	r.P50, r.P50Min, r.P50Max, r.P99 = harness.Median(p50), slices.Min(p50), slices.Max(p50), harness.Median(p99)
	r.LinkLate = harness.Median(late)
	return r
}

// Err is nil if every measurement came to something.
func (r Report) Err() error {
	if len(r.Failures) == 0 {
		return nil
	}
	return fmt.Errorf("%d measurements came to nothing, the first: %v: %s", len(r.Failures), r.Failures[0], r.Failures[0].Error)
}
