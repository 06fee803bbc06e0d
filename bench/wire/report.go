package wire

import (
	"fmt"
	"slices"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/wire/contender"
)

// Report is what a run came to; as JSON it is what the command prints.
type Report struct {
	harness.Head
	Results  []Result      `json:"results"`
	Bars     []harness.Bar `json:"bars"`
	Failures []Failure     `json:"failures,omitempty"`
}

// Result is what the rounds say about one contender under one load: medians, and
// the slowest and the fastest round.
type Result struct {
	Contender string `json:"contender"`
	contender.Load
	OpsPerSecond float64 `json:"ops_per_s"`
	OpsMin       float64 `json:"ops_min"`
	OpsMax       float64 `json:"ops_max"`
	P50          float64 `json:"p50_us"`
	P99          float64 `json:"p99_us"`
	ClientAllocs float64 `json:"client_allocs_per_op"`
	ServerAllocs float64 `json:"server_allocs_per_op"`
	Rounds       int     `json:"rounds"` // that came to something
}

// cell names one result.
type cell struct {
	contender string
	load      contender.Load
}

const method = "a server and a client process for each measurement, on loopback TCP; " +
	"closed loop; contenders take turns within a round, and the order moves from round to round; " +
	"medians of the rounds; every reply is compared with its request"

func newReport(cfg Config, groups []group) Report {
	how := harness.Method{Rounds: cfg.Rounds, Duration: cfg.Duration.Seconds(), WarmUp: cfg.WarmUp.Seconds(), Text: method}
	r := Report{Head: harness.NewHead("wire", how), Results: []Result{}, Bars: []harness.Bar{}}
	var names []string
	for _, g := range groups {
		names = append(names, g.contenders...)
	}
	for _, c := range contender.All() {
		if !slices.Contains(names, c.Name) {
			continue
		}
		r.Add(harness.Settings{Name: c.Name, Settings: c.Settings}, c.Module)
	}
	return r
}

// fill computes results and bars.
func (r *Report) fill(groups []group, samples map[cell][]taken) {
	for _, g := range groups {
		for _, name := range g.contenders {
			at := cell{name, g.load}
			if len(samples[at]) > 0 {
				r.Results = append(r.Results, summarize(at, samples[at]))
			}
		}
	}
	r.Bars = append(r.Bars, judge(r.Results)...)
}

func summarize(at cell, ts []taken) Result {
	of := func(f func(taken) float64) []float64 {
		var values []float64
		for _, t := range ts {
			values = append(values, f(t))
		}
		return values
	}
	ops := of(func(t taken) float64 { return t.OpsPerSecond })
	perRequest := func(mallocs func(taken) uint64) float64 {
		return harness.Median(of(func(t taken) float64 { return float64(mallocs(t)) / float64(t.Requests) }))
	}
	return Result{
		Contender: at.contender, Load: at.load,
		OpsPerSecond: harness.Median(ops), OpsMin: slices.Min(ops), OpsMax: slices.Max(ops),
		P50:          harness.Median(of(func(t taken) float64 { return t.P50 })),
		P99:          harness.Median(of(func(t taken) float64 { return t.P99 })),
		ClientAllocs: perRequest(func(t taken) uint64 { return t.Mallocs }),
		ServerAllocs: perRequest(func(t taken) uint64 { return t.serverMallocs }),
		Rounds:       len(ts),
	}
}

// Err is nil if every measurement came to something.
func (r Report) Err() error {
	if len(r.Failures) == 0 {
		return nil
	}
	return fmt.Errorf("%d measurements came to nothing, the first: %s, %d in flight: %s",
		len(r.Failures), r.Failures[0].Contender, r.Failures[0].InFlight, r.Failures[0].Error)
}
