package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"warmline.dev/bench/scale"
)

var tinyScale = []string{"scale", "--rounds", "1", "--duration", "20ms", "--warm-up", "5ms"}

// The keys that the issue promised to whoever reads the JSON by a program.
func TestLinesAndConversationsGrow(t *testing.T) {
	out, errs, code := run(t, append(tinyScale, "--lines", "20,1", "--conversations", "1,500", "--json")...)
	if code != 0 || !strings.HasPrefix(errs, "round 1 of 1 done, after ") {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var r struct {
		Bench   string
		Results []map[string]any
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Bench != "scale" {
		t.Fatalf("%v: %s", err, out)
	}
	found := map[string]bool{}
	for _, res := range r.Results {
		for _, key := range []string{"contender", "of", "n", "cpu_us_per_job", "p50_us", "p99_us", "adapter_bytes", "edge_bytes", "adapter_bytes_each", "edge_bytes_each"} {
			if _, ok := res[key]; !ok {
				t.Errorf("no %s in %v", key, res)
			}
		}
		found[fmt.Sprint(res["contender"], " ", res["of"], " ", res["n"])] = true
		if res["cpu_us_per_job"].(float64) <= 0 || res["p50_us"].(float64) <= 0 || res["p99_us"].(float64) < res["p50_us"].(float64) {
			t.Errorf("%v", res)
		}
		if each := res["adapter_bytes_each"].(float64); res["n"].(float64) == 1 && each != 0 {
			t.Errorf("one more than the least: %v", res)
		}
	}
	for _, name := range scale.Default() {
		for _, n := range []string{"1", "20"} {
			if !found[name+" lines "+n] {
				t.Errorf("no %s lines of %s in %v", n, name, found)
			}
		}
	}
	if !found["warmline conversations 500"] || found["http1 conversations 500"] {
		t.Errorf("conversations: %v", found)
	}
}

func TestScaleTable(t *testing.T) {
	out, errs, code := run(t, append(tinyScale, "--contenders", "warmline", "--of", "conversations", "--conversations", "3,7")...)
	if code != 0 || !strings.Contains(out, "\njobs by one line, beside so many open conversations, 8 under way\n") || strings.Contains(out, "lines, in turn,") {
		t.Errorf("exit %d, %s, %s", code, out, errs)
	}
}

func TestScalesThatMakeNoSenseAreRefused(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"scale --contenders soap", `no contender "soap": there are http1`},
		{"scale --of users", `"users": expected lines or conversations`},
		{"scale --lines 4001", "expected whole numbers from 1 to 4000"},
		{"scale --conversations none", "expected whole numbers from 1 to 200000"},
		{"scale --contenders http1 --of conversations", "expected at least one contender, and a number of lines, or of conversations for one that has them ("},
		{"scale extra", "takes no arguments"},
	} {
		out, errs, code := run(t, strings.Fields(tt.args)...)
		if code != 2 || out != "" || !strings.Contains(errs, tt.want) {
			t.Errorf("%s: exit %d, %q, %q; want 2 and %q", tt.args, code, out, errs, tt.want)
		}
	}
}
