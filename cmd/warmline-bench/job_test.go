package main

import (
	"encoding/json"
	"strings"
	"testing"

	"warmline.dev/bench/job/contender"
)

var tinyJob = []string{"job", "--rounds", "1", "--duration", "50ms", "--warm-up", "10ms"}

// The keys that the issue promised to whoever reads the JSON by a program.
func TestTheJobIsDoneByEveryContender(t *testing.T) {
	out, errs, code := run(t, append(tinyJob, "--rtt", "0", "--rate", "200", "--json")...)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var r struct {
		Bench   string
		Results []map[string]any
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Bench != "job" {
		t.Fatalf("%v: %s", err, out)
	}
	for _, res := range r.Results {
		for _, key := range []string{"contender", "rtt_ms", "mode", "p50_us", "p90_us", "p99_us", "p999_us", "jobs_per_s", "cpu_us_per_job", "bytes_per_job"} {
			if _, ok := res[key]; !ok {
				t.Errorf("no %s in %v", key, res)
			}
		}
		if res["cpu_us_per_job"].(float64) <= 0 || res["p50_us"].(float64) <= 0 || res["p99_us"].(float64) < res["p50_us"].(float64) {
			t.Errorf("%v", res)
		}
	}
	there, err := contender.Present(t.Context(), contender.Names(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 * len(there); len(r.Results) != want {
		t.Errorf("%d results, want %d: each contender, closed and open", len(r.Results), want)
	}
}

func TestJobsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"job --contenders soap", `no contender "soap": there are http1`},
		{"job --modes ajar", `mode "ajar": expected closed or open`},
		{"job --rtt 2s", "round-trip time 2s: expected 0 to 1s"},
		{"job --concurrency 0", "concurrency 0: expected 1 to 1000"},
		{"job extra", "takes no arguments"},
	} {
		out, errs, code := run(t, strings.Fields(tt.args)...)
		if code != 2 || out != "" || !strings.Contains(errs, tt.want) {
			t.Errorf("%s: exit %d, %q, %q; want 2 and %q", tt.args, code, out, errs, tt.want)
		}
	}
}
