package pieces

import (
	"fmt"
	"slices"

	"warmline.dev/bench/harness"
)

// Report is what a run came to; as JSON it is what the command prints.
type Report struct {
	harness.Head
	Groups   []harness.Settings `json:"groups"`
	Results  []Result           `json:"results"`
	Figures  []Figure           `json:"figures"`
	Bars     []harness.Bar      `json:"bars"`
	Failures []Failure          `json:"failures,omitempty"`
}

// Result is what the rounds say about one piece: medians, and the fastest and the
// slowest round.
type Result struct {
	Piece       string  `json:"piece"`
	Group       string  `json:"group"`
	NsPerOp     float64 `json:"ns_per_op"` // of the clock; of a call: of the edge's processor time
	NsMin       float64 `json:"ns_min"`
	NsMax       float64 `json:"ns_max"`
	CPUPerOp    float64 `json:"cpu_ns_per_op"` // 0 where it isn't known
	AllocsPerOp float64 `json:"allocs_per_op"`
	BytesPerOp  float64 `json:"bytes_per_op"` // allocated

	// Of what is encoded or decoded; otherwise they are left out.
	Encoded     int     `json:"encoded_bytes,omitempty"`
	MBPerSecond float64 `json:"mb_per_s,omitempty"`

	Rounds int `json:"rounds"` // that came to something
}

// Figure is something that is no time.
type Figure struct {
	What  string  `json:"figure"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

// Failure is a measurement that came to nothing. The others go on.
type Failure struct {
	Piece string `json:"piece"` // or a group that could not be made ready
	Round int    `json:"round"` // from 1; 0: before the first
	Error string `json:"error"`
}

const method = "a call in two processes of its own, all else in the measuring process; " +
	"pieces take turns within a round, and the order moves from round to round; " +
	"garbage is collected before each measurement, and what it makes itself counts; medians of the rounds"

func newReport(cfg Config, groups []group) Report {
	how := harness.Method{Rounds: cfg.Rounds, Duration: cfg.Duration.Seconds(), WarmUp: cfg.WarmUp.Seconds(), Text: method}
	r := Report{Head: harness.NewHead("pieces", how), Results: []Result{}, Figures: []Figure{}, Bars: []harness.Bar{}}
	for _, g := range groups {
		r.Groups = append(r.Groups, harness.Settings{Name: g.name, Settings: g.what})
		for _, module := range append(g.modules, "warmline.dev") {
			r.Versions[module] = harness.Version(module)
		}
	}
	return r
}

// fill computes results and bars.
func (r *Report) fill(pieces []piece, samples map[string][]sample) {
	for _, p := range pieces {
		if len(samples[p.name]) > 0 {
			r.Results = append(r.Results, summarize(p, samples[p.name]))
		}
	}
	r.Bars = judge(*r)
}

func summarize(p piece, samples []sample) Result {
	of := func(f func(sample) float64) []float64 {
		var values []float64
		for _, s := range samples {
			values = append(values, f(s))
		}
		return values
	}
	ns := of(func(s sample) float64 { return s.ns })
	res := Result{
		Piece: p.name, Group: p.group, NsPerOp: harness.Median(ns), NsMin: slices.Min(ns), NsMax: slices.Max(ns),
		CPUPerOp:    harness.Median(of(func(s sample) float64 { return s.cpu })),
		AllocsPerOp: harness.Median(of(func(s sample) float64 { return s.allocs })),
		BytesPerOp:  harness.Median(of(func(s sample) float64 { return s.bytes })),
		Encoded:     p.encoded, Rounds: len(samples),
	}
	if p.encoded > 0 {
		res.MBPerSecond = float64(p.encoded) * 1e3 / res.NsPerOp
	}
	return res
}

// Err is nil if every measurement came to something.
func (r Report) Err() error {
	if len(r.Failures) == 0 {
		return nil
	}
	return fmt.Errorf("%d measurements came to nothing, the first: %s: %s", len(r.Failures), r.Failures[0].Piece, r.Failures[0].Error)
}
