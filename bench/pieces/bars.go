package pieces

import (
	"math"
	"slices"

	"warmline.dev/bench/harness"
)

// What figures are called.
const (
	filterMemory  = "revocation filter, memory"
	falseRate     = "revocation filter, false positives"
	minuteBytes   = "revocation, what a gateway gets in a minute of 240 changes"
	snapshotBytes = "revocation, a snapshot"
)

// bar is the most that a value may be, out of the design; found is false where what it
// needs was not measured.
type bar struct {
	what  string
	value func(Report) (value float64, found bool)
	limit float64
}

var bars = []bar{
	{"passport, seen before: ns", ofResult("passport, seen before", nanos), 200},
	{"passport, first sight: ns", ofResult("passport, first sight", nanos), 1500},
	{"revocation check, not in the set: ns", ofResult("revocation check, not in the set", nanos), 20},
	{"revocation filter: bytes of memory", ofFigure(filterMemory), 280_000},
	{"revocation filter: false positives of a million", ofFigure(falseRate), 100},
	{"revocation filter, built: ms", ofResult("revocation filter, built", millis), 50},
	{"revocation: bytes a minute / a snapshot's", ratio(minuteBytes, snapshotBytes), 1.0 / 20},
	{"warm cache hit, parallel: ns", ofResult("warm cache hit, parallel", nanos), 60},
	{"warm cache hit, parallel: allocations", ofResult("warm cache hit, parallel", allocs), 0},
	{"call from memory, 64 in flight: µs of the edge's time", ofResult("call from memory, 64 in flight", micros), 4},
}

func nanos(r Result) float64  { return r.NsPerOp }
func micros(r Result) float64 { return r.NsPerOp / 1e3 }
func millis(r Result) float64 { return r.NsPerOp / 1e6 }

// allocs leaves out what the process allocates besides, which is some thousandths for
// each op.
func allocs(r Result) float64 { return math.Round(r.AllocsPerOp*20) / 20 }

func ofResult(piece string, value func(Result) float64) func(Report) (float64, bool) {
	return func(r Report) (float64, bool) {
		i := slices.IndexFunc(r.Results, func(r Result) bool { return r.Piece == piece })
		if i < 0 {
			return 0, false
		}
		return value(r.Results[i]), true
	}
}

func ofFigure(what string) func(Report) (float64, bool) {
	return func(r Report) (float64, bool) {
		i := slices.IndexFunc(r.Figures, func(f Figure) bool { return f.What == what })
		if i < 0 {
			return 0, false
		}
		return r.Figures[i].Value, true
	}
}

func ratio(of, against string) func(Report) (float64, bool) {
	return func(r Report) (float64, bool) {
		a, ok := ofFigure(of)(r)
		b, there := ofFigure(against)(r)
		return a / b, ok && there && b > 0
	}
}

// judge returns the bars that a report allows to judge.
func judge(r Report) []harness.Bar {
	judged := []harness.Bar{}
	for _, b := range bars {
		if value, found := b.value(r); found {
			judged = append(judged, harness.AtMost(b.what, value, b.limit))
		}
	}
	return judged
}
