package job

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/load"
	"warmline.dev/bench/peer"
)

func TestSummaryHasMediansAndSpread(t *testing.T) {
	of := func(done int64, rate, p50 float64, adapter, edge time.Duration, bytes int64) sample {
		return sample{Measured: peer.Measured{
			Taken: peer.Taken{
				Sample:  load.Sample{Begun: done, Done: done, JobsPerSec: rate, P50: p50, P90: 2 * p50, P99: 3 * p50, P999: 4 * p50},
				Adapter: harness.Usage{CPU: adapter, Mallocs: uint64(10 * done)},
			},
			Edge: peer.Served{Usage: harness.Usage{CPU: edge, Mallocs: uint64(20 * done)}, Bytes: bytes},
		}}
	}
	got := summarize(Config{Concurrency: 8}, cell{"http1", time.Millisecond, Closed}, []sample{
		of(100, 30, 5, time.Millisecond, 2*time.Millisecond, 1000),
		of(10, 10, 7, time.Millisecond, time.Millisecond, 200),
		of(100, 20, 6, 3*time.Millisecond, 3*time.Millisecond, 3000),
	})
	want := Result{
		Contender: "http1", RTT: 1, Mode: Closed, Concurrency: 8,
		JobsPerSec: 20, JobsMin: 10, JobsMax: 30, P50: 6, P50Min: 5, P50Max: 7, P90: 12, P99: 18, P999: 24,
		CPU: 60, CPUMin: 30, CPUMax: 200, CPUAdapter: 30, CPUEdge: 30, AllocsAdapter: 10, AllocsEdge: 20, Bytes: 20, Rounds: 3,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBarsAreJudgedByTheResultsTheyName(t *testing.T) {
	var results []Result
	for _, b := range bars {
		for _, name := range []string{b.of, b.against} {
			if _, err := contender.Find(name); err != nil && !strings.HasPrefix(name, "grpc") {
				t.Errorf("%s: %v", b.what, err)
			}
			r := Result{Contender: name, RTT: b.rtt, Mode: b.mode, P50: 10, P99: 10, CPU: 10}
			if name == b.of {
				r.P50, r.P99, r.CPU = 10*b.most, 10*b.most, 10*b.most
			}
			results = append(results, r)
		}
	}
	got := judge(results)
	if len(got) != len(bars) {
		t.Fatalf("%d of %d are judged", len(got), len(bars))
	}
	if b := got[0]; b.What != bars[0].what || b.Value != 0.4 || !b.Holds {
		t.Errorf("at its limit: %+v", b)
	}
	if got := judge(results[:1]); got != nil {
		t.Errorf("judged without what it is set against: %+v", got)
	}
}

func TestASampleIsCompleteWhenItsJobsAreDone(t *testing.T) {
	some := peer.Measured{Taken: peer.Taken{Sample: load.Sample{Begun: 2, Done: 1, Failed: 1, Errors: map[string]int64{"it broke": 1}}}}
	none := peer.Measured{Taken: peer.Taken{Sample: load.Sample{Begun: 1, Failed: 1, Errors: map[string]int64{"it broke": 1}}}}
	for _, tt := range []struct {
		s    sample
		want bool
	}{
		{sample{Measured: some}, false},
		{sample{Measured: some, rate: 1}, true}, // more than it can carry
		{sample{Measured: none, rate: 1}, false},
		{sample{}, false},
	} {
		if err := tt.s.complete(); (err == nil) != tt.want {
			t.Errorf("%+v: %v", tt.s, err)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	good := Config{Contenders: []string{"http1"}, RTT: []time.Duration{0}, Modes: []string{Open}, Concurrency: 1, Rounds: 1, Duration: 1}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, wrong := range map[string]func(*Config){
		"no contender \"soap\"": func(c *Config) { c.Contenders = []string{"soap"} },
		"nothing to measure":    func(c *Config) { c.RTT = nil },
		"round-trip time -1ns":  func(c *Config) { c.RTT = []time.Duration{-1} },
		"mode \"ajar\"":         func(c *Config) { c.Modes = []string{"ajar"} },
		"concurrency 0":         func(c *Config) { c.Concurrency = 0 },
		"rate -1":               func(c *Config) { c.Rate = -1 },
		"0 rounds of 1ns":       func(c *Config) { c.Rounds = 0 },
	} {
		c := good
		wrong(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %q", err, name)
		}
	}
}
