package main

import (
	"encoding/json"
	"strings"
	"testing"

	"warmline.dev/bench/job/contender"
)

var tinyChain = []string{"chain", "--rounds", "1", "--duration", "20ms", "--warm-up", "5ms"}

// The keys that the issue promised to whoever reads the JSON by a program.
func TestChainsAndFansOfEveryContender(t *testing.T) {
	out, errs, code := run(t, append(tinyChain, "--depth", "8,1", "--width", "100", "--rtt", "0", "--json")...)
	if code != 0 || !strings.Contains(errs, "round 1 of 1 done, after ") {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var r struct {
		Bench   string
		Results []map[string]any
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Bench != "chain" {
		t.Fatalf("%v: %s", err, out)
	}
	found := map[string]int{}
	for _, res := range r.Results {
		for _, key := range []string{"contender", "rtt_ms", "shape", "n", "p50_us", "p99_us"} {
			if _, ok := res[key]; !ok {
				t.Errorf("no %s in %v", key, res)
			}
		}
		found[res["contender"].(string)]++
		if res["p50_us"].(float64) <= 0 || res["p99_us"].(float64) < res["p50_us"].(float64) || res["jobs"].(float64) < 1 {
			t.Errorf("%v", res)
		}
	}
	there, err := contender.Present(t.Context(), contender.Names(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range there {
		if found[c.Name] != 3 {
			t.Errorf("%d results of %s, want 3: two depths and a width", found[c.Name], c.Name)
		}
	}
}

// A round trip takes what the link takes, at least, and so does each question that
// needs the answer to the one before.
func TestChainsOverALink(t *testing.T) {
	out, errs, code := run(t, append(tinyChain, "--contenders", "http1,warmline", "--shapes", "chain", "--depth", "1,3", "--rtt", "4ms", "--json")...)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var r struct {
		Links   []map[string]any
		Results []struct {
			Contender string
			RTT       float64 `json:"rtt_ms"`
			N         int
			P50       float64 `json:"p50_us"`
		}
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Links) != 1 || len(r.Results) != 4 {
		t.Fatalf("%v: %s", err, out)
	}
	for _, res := range r.Results {
		if least := 0.98 * 4000 * float64(res.N); res.RTT != 4 || res.P50 < least {
			t.Errorf("%+v: expected at least %g µs", res, least)
		}
	}
}

func TestChainTable(t *testing.T) {
	out, errs, code := run(t, append(tinyChain, "--contenders", "warmline", "--shapes", "chain", "--depth", "2", "--rtt", "0")...)
	if code != 0 || !strings.Contains(out, "\n0 ms round trip, chain: ") || !strings.Contains(out, "\n  warmline ") || strings.Contains(out, "fan: ") {
		t.Errorf("exit %d, %s, %s", code, out, errs)
	}
}

func TestChainsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"chain --contenders soap", `no contender "soap": there are http1`},
		{"chain --shapes tree", `shape "tree": expected chain or fan`},
		{"chain --depth 0", "expected whole numbers from 1 to 64"},
		{"chain --width 1001", "expected whole numbers from 1 to 1000"},
		{"chain --rtt 2s", "round-trip time 2s: expected 0 to 1s"},
		{"chain --concurrency 11", "concurrency 11: expected 1 to 10 where the widest job asks 100 questions at once"},
		{"chain extra", "takes no arguments"},
	} {
		out, errs, code := run(t, strings.Fields(tt.args)...)
		if code != 2 || out != "" || !strings.Contains(errs, tt.want) {
			t.Errorf("%s: exit %d, %q, %q; want 2 and %q", tt.args, code, out, errs, tt.want)
		}
	}
}
