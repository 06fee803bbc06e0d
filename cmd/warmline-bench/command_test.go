package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"warmline.dev/bench/wire"
	"warmline.dev/bench/wire/contender"
)

// tiny makes a run that says nothing about speed.
var tiny = []string{"wire", "--rounds", "1", "--duration", "50ms", "--warm-up", "10ms"}

func TestJSONHasEveryContender(t *testing.T) {
	out, errs, code := run(t, append(tiny, "--in-flight", "1,4", "--payload", "64", "--json")...)
	if code != 0 || !strings.HasPrefix(errs, "round 1 of 1 done, after ") || strings.Count(errs, "\n") != 1 {
		t.Errorf("exit %d, %s", code, errs)
	}
	r := decode(t, out)
	if r.Bench != "wire" || r.Machine.Cores < 1 || r.Machine.Go == "" || r.Method.Rounds != 1 || len(r.Contenders) != len(contender.All()) {
		t.Errorf("%+v", r)
	}
	for _, module := range []string{"warmline.dev", "google.golang.org/grpc", "github.com/rsocket/rsocket-go"} {
		if r.Versions[module] == "" {
			t.Errorf("no version of %s: %v", module, r.Versions)
		}
	}
	results := map[string]wire.Result{}
	for _, res := range r.Results {
		results[fmt.Sprintf("%s %d %d", res.Contender, res.InFlight, res.Payload)] = res
		if res.OpsPerSecond <= 0 || res.OpsMin != res.OpsPerSecond || res.OpsMax != res.OpsPerSecond || res.Rounds != 1 || res.P50 <= 0 || res.P99 < res.P50 {
			t.Errorf("%+v", res)
		}
	}
	for _, name := range contender.Names() {
		for _, inFlight := range []int{1, 4} {
			if key := fmt.Sprintf("%s %d 64", name, inFlight); results[key].Contender == "" {
				t.Errorf("nothing about %s", key)
			}
		}
	}
	if len(results) != 2*len(contender.Names()) || len(r.Results) != len(results) {
		t.Errorf("%d results", len(r.Results))
	}
	// HTTP can't do without, and raw TCP needs none: so the figures are of who they are said to be.
	if http, tcp := results["http1 4 64"], results["tcp 4 64"]; http.ClientAllocs < 10 || http.ServerAllocs < 10 || tcp.ClientAllocs > 5 || tcp.ServerAllocs > 5 {
		t.Errorf("allocations of %+v and %+v", http, tcp)
	}
}

// The keys that the issue promised to whoever reads the JSON by a program.
func TestJSONKeys(t *testing.T) {
	out, _, _ := run(t, append(tiny, "--contenders", "tcp", "--in-flight", "2", "--payload", "64", "--json")...)
	var r struct {
		Bench   string
		Results []map[string]any
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Results) != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	for _, key := range []string{"contender", "in_flight", "payload_bytes", "ops_per_s", "p50_us", "p99_us", "client_allocs_per_op"} {
		if _, ok := r.Results[0][key]; !ok {
			t.Errorf("no %s in %v", key, r.Results[0])
		}
	}
}

func TestTable(t *testing.T) {
	out, _, code := run(t, append(tiny, "--in-flight", "4,1", "--payload", "64")...)
	if code != 0 {
		t.Errorf("exit %d", code)
	}
	head, body, _ := strings.Cut(out, "\n64 B, 4 in flight\n")
	for _, want := range []string{"machine   ", "google.golang.org/grpc v", "rounds    1 of 0.05 s for each, after 0.01 s of warm-up", "closed loop", "\nhttp1             net/http keep-alive"} {
		if !strings.Contains(head, want) {
			t.Errorf("the head does not say %q:\n%s", want, head)
		}
	}
	if strings.Count(body, "\n64 B, 1 in flight\n") != 1 {
		t.Errorf("no second table:\n%s", body)
	}
	for _, name := range contender.Names() {
		if strings.Count(body, "\n  "+name+" ") != 2 && !strings.HasPrefix(body, "  "+name+" ") {
			t.Errorf("%s is not in both tables:\n%s", name, body)
		}
	}
}

func TestBarsMeasuresWhatTheBarsNeed(t *testing.T) {
	out, errs, code := run(t, "wire", "--bars", "--rounds", "1", "--duration", "50ms", "--warm-up", "0", "--json")
	if code != 0 {
		t.Fatalf("exit %d, %s", code, errs)
	}
	r := decode(t, out)
	if len(r.Bars) != 13 || len(r.Results) != 12 {
		t.Errorf("%d bars of %d results:\n%s", len(r.Bars), len(r.Results), out)
	}
}

// More is in flight than the sockets hold: whoever writes without reading, or
// sizes a window by habit, stands still.
func TestMoreInFlightThanSocketsHold(t *testing.T) {
	out, errs, code := run(t, append(tiny, "--in-flight", "100", "--payload", "65536", "--json",
		"--contenders", "tcp-pipelined,grpc-unary,grpc-bidi,rsocket-go,warmline,warmline-channel")...)
	if r := decode(t, out); code != 0 || len(r.Results) != 6 {
		t.Errorf("exit %d, %d results, %s", code, len(r.Results), errs)
	}
}

func TestCommandLinesThatMakeNoSense(t *testing.T) {
	for name, tt := range map[string]struct{ args, want string }{
		"unknown bench":      {"job-description", `no bench "job-description": there is `},
		"unknown contender":  {"wire --contenders tcp,grpc", `no contender "grpc": there are tcp, tcp-pipelined, http1, grpc-unary, grpc-bidi, rsocket-go, warmline, warmline-channel, warmline-each`},
		"no contender":       {"wire --contenders=", "at least one contender"},
		"none in flight":     {"wire --in-flight 0", "expected whole numbers from 1 to 16384, separated by commas; see warmline-bench wire --help"},
		"no number":          {"wire --in-flight 1,many", "expected whole numbers from 1 to 16384"},
		"too small":          {"wire --payload 7", "expected whole numbers from 8 to 1048576"},
		"too much":           {"wire --payload 1048576 --in-flight 1024", "1024 in flight of 1048576 bytes each: expected at most 268435456 bytes in all"},
		"no rounds":          {"wire --rounds 0", "expected at least one round"},
		"no duration":        {"wire --duration 0", "expected at least one round, and a duration"},
		"bad duration":       {"wire --duration soon", "--duration"},
		"unknown flag":       {"wire --fast", "unknown flag: --fast; see warmline-bench wire --help"},
		"an argument":        {"wire tcp", `warmline-bench wire takes no arguments, got "tcp"`},
		"bars and a payload": {"wire --bars --payload 64", "--bars decides contenders, in-flight and payload: leave --payload away"},
	} {
		out, errs, code := run(t, strings.Fields(tt.args)...)
		if code != 2 || !strings.Contains(errs, tt.want) || strings.Count(errs, "\n") != 1 || out != "" {
			t.Errorf("%s: exit %d, %q, %q; want exit 2 and one line with %q", name, code, out, errs, tt.want)
		}
	}
}

func TestHelp(t *testing.T) {
	out, _, code := run(t)
	if code != 0 || !strings.Contains(out, "warmline-bench wire --bars") || strings.Contains(out, "wire-server") {
		t.Errorf("exit %d, %s", code, out)
	}
	out, _, code = run(t, "wire", "--help")
	if code != 0 || !strings.Contains(out, strings.Join(contender.Names(), ", ")) {
		t.Errorf("exit %d, %s", code, out)
	}
}
