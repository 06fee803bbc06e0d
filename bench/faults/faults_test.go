package faults

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/bench/load"
	"warmline.dev/bench/peer"
)

func TestSummaryHasMediansAndAllErrors(t *testing.T) {
	of := func(done, failed int64, rate, p99 float64, errs map[string]int64, line []load.Bucket) sample {
		return sample{Taken: peer.Taken{Sample: load.Sample{
			Begun: done + failed, Done: done, Failed: failed, JobsPerSec: rate, P50: p99 / 2, P99: p99, Errors: errs, Timeline: line,
		}}, rate: 2 * rate, capacity: rate, events: []Event{{At: int64(rate), What: "something"}}}
	}
	got := summarize(cell{"http1", Kill}, []sample{
		of(90, 0, 30, 10, nil, []load.Bucket{{At: 0, OK: 40, P99: 7}, {At: 100, OK: 50, P99: 5}}),
		of(50, 50, 10, 30, map[string]int64{"it broke": 20, "it hung": 30}, []load.Bucket{{At: 0, OK: 50, P99: 9}, {At: 100, Failed: 50}}),
		of(10, 0, 20, 20, map[string]int64{"it broke": 1}, []load.Bucket{{At: 0, OK: 8, P99: 8}, {At: 100, OK: 2, P99: 7}}),
	})
	want := Result{
		Contender: "http1", Fault: Kill, Rate: 40, Capacity: 20, JobsPerSec: 20, JobsMin: 10, JobsMax: 30,
		Begun: 200, Failed: 50, Errors: 0.25, P50: 10, P99: 20, P99Min: 10, P99Max: 30,
		Texts:    map[string]int64{"it broke": 21, "it hung": 30},
		Timeline: []load.Bucket{{At: 0, OK: 98, P99: 8}, {At: 100, OK: 52, Failed: 50, P99: 6}},
		Events:   []Event{{30, "something"}}, Rounds: 3,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestATableShowsWhatFailed(t *testing.T) {
	r := Report{
		Results: []Result{
			{Contender: "http1", Fault: None, Rate: 500, Timeline: []load.Bucket{{OK: 1, P99: 100}, {OK: 1, P99: 44_000}, {}, {OK: 1, P99: 9e6}}},
			{
				Contender: "http1", Fault: Kill, Errors: 0.00001, Timeline: []load.Bucket{{OK: 9, Failed: 1}},
				Texts: map[string]int64{"a": 1, "b": 2000, "c": 3, "d": 4, "e": 5},
			},
		},
		Failures: []Failure{{"warmline", Hang, 2, "it crashed"}},
	}
	var b strings.Builder
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\nnone: nothing happens\n", "  ▁▄ █\n", "\nkill: one of two edges", " < 0.01 % ", "  x\n", " 2,000 × b\n", " 4 × d\n", " … and 2 others",
		"\ncame to nothing\n  warmline, hang, round 2: it crashed\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
	if err := r.Err(); err == nil || !strings.Contains(err.Error(), "1 measurements came to nothing, the first: warmline, hang: it crashed") {
		t.Error(err)
	}
	if got := drawn(make([]load.Bucket, mostDrawn+1)); got != strings.Repeat(" ", mostDrawn)+"…" {
		t.Errorf("a long timeline is %q", got)
	}
}

func TestConfigIsChecked(t *testing.T) {
	good := Config{Contenders: []string{"http1"}, Faults: []string{Kill}, Rate: 1, Rounds: 1, Duration: minDuration}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for want, wrong := range map[string]func(*Config){
		`no contender "http2" here: there are http1`: func(c *Config) { c.Contenders = []string{"http2"} }, // it does nothing about faults
		`no fault "flood": there are none, kill`:     func(c *Config) { c.Faults = []string{"flood"} },
		"nothing to measure":                         func(c *Config) { c.Faults = nil },
		"rate 0":                                     func(c *Config) { c.Rate = 0 },
		"duration 299ms: expected 300ms to 1h0m0s":   func(c *Config) { c.Duration = minDuration - time.Millisecond },
		"0 rounds": func(c *Config) { c.Rounds = 0 },
	} {
		c := good
		wrong(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// An address that is reserved is nobody's until an edge takes it, and again later.
func TestReservedAddressesAreTakenAgain(t *testing.T) {
	addresses, release, err := reserve(2)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if len(addresses) != 2 || addresses[0] == addresses[1] {
		t.Fatalf("%v", addresses)
	}
	if conn, err := net.Dial("tcp", addresses[0]); err == nil {
		conn.Close()
		t.Fatal("somebody listens")
	}
	for range 2 {
		l, err := net.Listen("tcp", addresses[0])
		if err != nil {
			t.Fatal(err)
		}
		accepted := make(chan error, 1)
		go func() {
			conn, err := l.Accept()
			if err == nil {
				err = conn.Close() // first, so it is this port that is left waiting
			}
			accepted <- err
		}()
		conn, err := net.Dial("tcp", addresses[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(<-accepted, conn.Close(), l.Close()); err != nil {
			t.Error(err)
		}
	}
}
