package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestComparisonOfTwoRuns(t *testing.T) {
	now, earlier := read(t, madeUp), read(t, madeUpEarlier)
	for _, r := range []*Report{now, earlier} { // a table that can be read
		r.Chain, r.Scale, r.Wire = nil, nil, nil
		var kept []JobResult
		for _, result := range r.Job.Results {
			if isOurs(result.Contender) && result.RTT == 0 {
				kept = append(kept, result)
			}
		}
		r.Job.Results = kept
	}
	var b strings.Builder
	if err := Compare(now, earlier).WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "comparison.txt", b.String())
}

func wire(t *testing.T, results ...WireResult) *Report {
	t.Helper()
	r := New()
	add(t, r, map[string]any{"bench": "wire", "results": results})
	return r
}

func TestDifferencesCountBeyondTheNoise(t *testing.T) {
	at := func(rate, least, most, p50, p99, allocs float64) WireResult {
		return WireResult{Contender: "x", InFlight: 1, OpsPerSecond: rate, OpsMin: least, OpsMax: most, P50: p50, P99: p99, ClientAllocs: allocs}
	}
	calm := at(100, 99, 101, 100, 100, 2)
	for _, tt := range []struct {
		name     string
		now, old WireResult
		want     map[string]Verdict
	}{
		{"nothing", calm, calm, nil},
		{"just within", at(105, 105, 105, 110, 125, 2.5), calm, nil},
		{"slower", at(94, 94, 94, 111, 126, 2.6), calm, map[string]Verdict{"requests/s": Worse, "p50": Worse, "p99": Worse, "allocs client": Worse}},
		{"faster", at(106, 106, 106, 89, 74, 1.4), calm, map[string]Verdict{"requests/s": Better, "p50": Better, "p99": Better, "allocs client": Better}},
		{"a wide run now", at(70, 50, 90, 140, 140, 2), calm, nil},
		{"a wide run before", calm, at(70, 50, 90, 140, 140, 2), nil},
		{"something from nothing", calm, at(0, 0, 0, 0, 0, 0), map[string]Verdict{"requests/s": Better, "p50": Worse, "p99": Worse, "allocs client": Worse}},
	} {
		got := map[string]Verdict{}
		for _, d := range Compare(wire(t, tt.now), wire(t, tt.old)).Marked() {
			got[d.Figure] = d.Verdict
		}
		if len(got) == 0 {
			got = nil
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestOnlyWhatBothHaveIsCompared(t *testing.T) {
	now := wire(t, WireResult{Contender: "both", InFlight: 1}, WireResult{Contender: "both", InFlight: 2}, WireResult{Contender: "new"}, WireResult{Contender: "both", InFlight: 1})
	old := wire(t, WireResult{Contender: "both", InFlight: 1}, WireResult{Contender: "old"}, WireResult{Contender: "older"})
	c := Compare(now, old)
	if len(c.Differences) != 5 || c.OnlyNew != 2 || c.OnlyOld != 2 {
		t.Errorf("%d figures of the row that both have, %d and %d rows that one has", len(c.Differences), c.OnlyNew, c.OnlyOld)
	}
	var b strings.Builder
	if err := Compare(New(), old).WriteTable(&b); err != nil || !strings.Contains(b.String(), "nothing that both runs have") {
		t.Errorf("%v\n%s", err, &b)
	}
}

// The rate of an open loop may be chosen by what the machine can do.
func TestOpenLoopsAreComparedIfTheirRatesAreNear(t *testing.T) {
	open := func(rates ...float64) *Report {
		var results []JobResult
		for i, rate := range rates {
			results = append(results, JobResult{Contender: "x", Mode: modeOpen, RTT: 1, Rate: rate, P99: float64(i + 1)})
		}
		r := New()
		add(t, r, map[string]any{"bench": "job", "results": results})
		return r
	}
	for _, tt := range []struct {
		now, old                    *Report
		figures, other, new, before int
	}{
		{open(1000, 2000), open(2190, 1090), 24, 0, 0, 0},
		{open(1000), open(1200), 0, 1, 0, 0},
		{open(1000), open(1001, 2000), 12, 0, 0, 1},
		{open(1000, 2000), open(1001), 12, 0, 1, 0},
	} {
		c := Compare(tt.now, tt.old)
		if len(c.Differences) != tt.figures || c.OtherRate != tt.other || c.OnlyNew != tt.new || c.OnlyOld != tt.before {
			t.Errorf("%v and %v: %d figures, %d of other rates, %d and %d rows that one has",
				tt.now.Job.Results, tt.old.Job.Results, len(c.Differences), c.OtherRate, c.OnlyNew, c.OnlyOld)
		}
		var b strings.Builder
		if err := c.WriteTable(&b); err != nil || strings.Contains(b.String(), "rates that differ") != (tt.other > 0) {
			t.Errorf("%v\n%s", err, &b)
		}
	}
}

func TestRunsThatMayNotBeComparableSaySo(t *testing.T) {
	now, old := read(t, madeUp), read(t, madeUpEarlier)
	if got := Compare(now, old).Cautions; got != nil {
		t.Errorf("%q", got)
	}
	now.Machine.Cores, now.Machine.Load = 4, "3"
	now.Job.Versions["google.golang.org/grpc"], now.Wire.Versions["google.golang.org/grpc"] = "v9.9.9", "v9.9.9"
	now.Job.Method.Rounds = 1
	want := []string{
		"Another machine: 4 cores (Made-up CPU @ 2.40GHz), linux/amd64 6.1.0, go1.26.8, and before: 2 cores (Made-up CPU @ 2.40GHz), linux/amd64 6.1.0, go1.26.8",
		"job was run otherwise: 1 rounds of 2 s, and before: 3 rounds of 2 s",
		"Another version of google.golang.org/grpc: v9.9.9, and before: v1.85.0",
	}
	if diff := cmp.Diff(want, Compare(now, old).Cautions); diff != "" {
		t.Error(diff)
	}
}
