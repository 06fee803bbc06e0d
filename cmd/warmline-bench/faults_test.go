package main

import (
	"encoding/json"
	"strings"
	"testing"

	"warmline.dev/bench/faults"
)

func TestEdgesFailUnderLoad(t *testing.T) {
	out, errs, code := run(t, "faults", "--contenders", "http1,warmline-pipelined", "--rounds", "1", "--duration", "900ms", "--warm-up", "10ms", "--rate", "50", "--json")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var r faults.Report
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil || r.Bench != "faults" {
		t.Fatalf("%v: %s", err, out)
	}
	want := map[string]string{
		faults.None: "", faults.Kill: "edge 1 is killed, edge 1 is back", faults.Hang: "the source hangs, the source answers again",
		faults.Replace:  "a new edge is up, edge 1 stops, edge 1 has stopped, a new edge is up, edge 2 stops, edge 2 has stopped",
		faults.Overload: "",
	}
	for _, res := range r.Results {
		var happened []string
		for _, e := range res.Events {
			happened = append(happened, e.What)
		}
		if got := strings.Join(happened, ", "); got != want[res.Fault] {
			t.Errorf("%s, %s: what happened is %q, want %q", res.Contender, res.Fault, got, want[res.Fault])
		}
		var ok, failed, texts int64
		for _, b := range res.Timeline {
			ok, failed = ok+b.OK, failed+b.Failed
		}
		for _, n := range res.Texts {
			texts += n
		}
		if len(res.Timeline) != 9 || ok == 0 || ok+failed != res.Begun || failed != res.Failed || texts != failed || res.P50 <= 0 || res.P99 < res.P50 || res.Rounds != 1 {
			t.Errorf("%+v", res)
		}
		if over := res.Fault == faults.Overload; over != (res.Capacity > 0) || over && res.Rate != 2*res.Capacity || !over && res.Rate != 50 {
			t.Errorf("%s, %s: a rate of %g, where %g can be done", res.Contender, res.Fault, res.Rate, res.Capacity)
		}
		if res.Fault == faults.Hang && res.P99 < 95_000 { // that is what a read costs then, within 1 %
			t.Errorf("%s: p99 is %g µs: nobody has waited for the source", res.Contender, res.P99)
		}
	}
	if len(r.Results) != 2*len(want) || len(r.Contenders) != 2 {
		t.Errorf("%d results of %d contenders", len(r.Results), len(r.Contenders))
	}
}

// The keys that the issue promised to whoever reads the JSON by a program.
func TestFaultsJSONKeys(t *testing.T) {
	out, errs, code := run(t, "faults", "--contenders", "warmline", "--faults", "kill", "--rounds", "1", "--duration", "300ms", "--warm-up", "0", "--rate", "50", "--json")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var r struct{ Results []map[string]any }
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Results) != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	for _, key := range []string{"contender", "fault", "rate", "jobs_per_s", "error_ratio", "p50_us", "p99_us", "errors", "timeline"} {
		if _, ok := r.Results[0][key]; !ok {
			t.Errorf("no %s in %v", key, r.Results[0])
		}
	}
	line, _ := r.Results[0]["timeline"].([]any)
	if len(line) != 3 {
		t.Fatalf("the timeline is %v", r.Results[0]["timeline"])
	}
	for _, key := range []string{"t_ms", "ok", "failed", "p99_us"} {
		if _, ok := line[0].(map[string]any)[key]; !ok {
			t.Errorf("no %s in %v", key, line[0])
		}
	}
}

func TestFaultsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"faults --contenders http2", `no contender "http2" here: there are http1`},
		{"faults --faults flood", `no fault "flood": there are none, kill, hang, replace, overload`},
		{"faults --rate 0", "rate 0: expected more than 0"},
		{"faults --duration 1ms", "duration 1ms: expected 300ms to 1h0m0s"},
		{"faults kill", "takes no arguments"},
	} {
		out, errs, code := run(t, strings.Fields(tt.args)...)
		if code != 2 || out != "" || !strings.Contains(errs, tt.want) {
			t.Errorf("%s: exit %d, %q, %q; want 2 and %q", tt.args, code, out, errs, tt.want)
		}
	}
}
