package chain

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/bench/link"
	"warmline.dev/bench/load"
	"warmline.dev/bench/peer"
)

func good() Config {
	return Config{
		Contenders: []string{"warmline", "http1"}, RTT: []time.Duration{0}, Shapes: []string{Fan, Chain},
		Depths: []int{8, 1, 8}, Widths: []int{100}, Concurrency: 1, Rounds: 1, Duration: 1,
	}
}

func TestCellsAreInTheOrderOfTheTables(t *testing.T) {
	want := []cell{
		{"http1", 0, row{Chain, 1}},
		{"warmline", 0, row{Chain, 1}},
		{"http1", 0, row{Chain, 8}},
		{"warmline", 0, row{Chain, 8}},
		{"http1", 0, row{Fan, 100}},
		{"warmline", 0, row{Fan, 100}},
	}
	if diff := cmp.Diff(want, good().cells(), cmp.AllowUnexported(cell{}, row{})); diff != "" {
		t.Error(diff)
	}
}

func measured(jobs int64, p50, p99 float64) peer.Measured {
	return peer.Measured{Taken: peer.Taken{Sample: load.Sample{Done: jobs, P50: p50, P99: p99}}, Late: link.Late{P50: p50 / 10}}
}

func TestSummaryHasMediansAndSpread(t *testing.T) {
	got := summarize(Config{Concurrency: 2}, cell{"http1", time.Millisecond, row{Fan, 10}}, []peer.Measured{
		measured(10, 30, 40), measured(20, 10, 80), measured(30, 20, 60),
	})
	want := Result{Contender: "http1", RTT: 1, Shape: Fan, N: 10, Concurrency: 2, P50: 20, P50Min: 10, P50Max: 30, P99: 60, LinkLate: 2, Jobs: 60, Rounds: 3}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.spread() != 50 {
		t.Errorf("10 to 30 is ±%g %%, want 50", got.spread())
	}
}

func TestTableHasSizesBesideOneAnother(t *testing.T) {
	r := newReport(good())
	samples := map[cell][]peer.Measured{}
	for _, at := range good().cells() {
		samples[at] = []peer.Measured{measured(1, float64(at.n)*10, float64(at.n)*20)}
	}
	delete(samples, cell{"http1", 0, row{Chain, 8}})
	r.fill(good(), samples)
	r.Failures = []Failure{{"http1", 0, Chain, 8, 1, "it broke"}}
	var b strings.Builder
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	_, tables, _ := strings.Cut(b.String(), "\n0 ms round trip, ")
	want := `chain: each question needs the answer to the one before
  questions              1: p50 ± spread, p99     8: p50 ± spread, p99
  http1                 10.0 µs ± 0%  20.0 µs
  warmline              10.0 µs ± 0%  20.0 µs    80.0 µs ± 0%   160 µs

0 ms round trip, fan: all questions can be asked at once
  questions            100: p50 ± spread, p99
  http1                  1.0 ms ± 0%   2.0 ms
  warmline               1.0 ms ± 0%   2.0 ms

came to nothing
  http1, 0 ms round trip, chain of 8, round 1: it broke
`
	if diff := cmp.Diff(want, tables); diff != "" {
		t.Error(diff)
	}
	if err := r.Err(); err == nil || !strings.Contains(err.Error(), "1 measurements came to nothing, the first: http1, 0 ms round trip, chain of 8, round 1: it broke") {
		t.Error(err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	if err := good().Check(); err != nil {
		t.Error(err)
	}
	for name, wrong := range map[string]func(*Config){
		"no contender \"soap\"": func(c *Config) { c.Contenders = []string{"soap"} },
		"nothing to measure":    func(c *Config) { c.RTT = nil },
		"nothing to measure: ":  func(c *Config) { c.Shapes, c.Depths = []string{Chain}, nil },
		"round-trip time -1ns":  func(c *Config) { c.RTT = []time.Duration{-1} },
		"shape \"tree\"":        func(c *Config) { c.Shapes = []string{"tree"} },
		"depth 65":              func(c *Config) { c.Depths = []int{65} },
		"width 0":               func(c *Config) { c.Widths = []int{0} },
		"concurrency 11: expected 1 to 10 where the widest job asks 100": func(c *Config) { c.Concurrency = 11 },
		"0 rounds of 1ns": func(c *Config) { c.Rounds = 0 },
	} {
		c := good()
		wrong(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %q", err, name)
		}
	}
}
