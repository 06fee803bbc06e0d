package wire

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/wire/contender"
)

func TestSummaryHasMediansAndSpread(t *testing.T) {
	at := cell{"tcp", contender.Load{InFlight: 2, Payload: 8}}
	got := summarize(at, []taken{
		{Sample{Requests: 100, OpsPerSecond: 30, P50: 5, P99: 9, Mallocs: 400}, 100},
		{Sample{Requests: 10, OpsPerSecond: 10, P50: 7, P99: 8, Mallocs: 10}, 20},
		{Sample{Requests: 100, OpsPerSecond: 20, P50: 6, P99: 7, Mallocs: 200}, 300},
	})
	want := Result{
		Contender: "tcp", Load: at.load,
		OpsPerSecond: 20, OpsMin: 10, OpsMax: 30, P50: 6, P99: 8, ClientAllocs: 2, ServerAllocs: 2, Rounds: 3,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func result(name string, inFlight int, rate, p50, p99, client, server float64) Result {
	return Result{
		Contender: name, Load: contender.Load{InFlight: inFlight, Payload: 256},
		OpsPerSecond: rate, OpsMin: rate, OpsMax: rate, P50: p50, P99: p99, ClientAllocs: client, ServerAllocs: server, Rounds: 1,
	}
}

func TestBarsAreJudgedAtTheirLimits(t *testing.T) {
	got := judge([]Result{
		result("tcp", 1, 1, 10, 0, 0, 0),
		result("warmline", 1, 1, 14, 0, 2, 2.5), // 1.4: just at the limit
		result("rsocket-go", 128, 100, 1, 1, 0, 0),
		result("warmline", 128, 399, 1, 26, 0, 0),
		result("grpc-bidi", 128, 114, 1, 104, 0, 0),
		result("tcp-pipelined", 64, 100, 1, 1, 0, 0), // the channel was not measured
		result("tcp", 16, 1, 1, 1, 0, 0),             // no bar is about it
	})
	want := []harness.Bar{
		harness.AtMost("p50, 1 in flight: warmline / tcp", 1.4, 1.4),
		harness.AtLeast("rate, 128 in flight: warmline / rsocket-go", 3.99, 4),
		harness.AtLeast("rate, 128 in flight: warmline / grpc-bidi", 3.5, 3.5),
		harness.AtMost("p99, 128 in flight: warmline / grpc-bidi", 0.25, 0.25),
		harness.AtMost("allocations per request, client, 1 in flight", 2, 2),
		harness.AtMost("allocations per request, server, 1 in flight", 2.5, 2),
		harness.AtMost("allocations per request, client, 128 in flight", 0, 2),
		harness.AtMost("allocations per request, server, 128 in flight", 0, 2),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	other := result("tcp", 1, 1, 10, 0, 0, 0)
	other.Payload = 4096
	if got := judge([]Result{other, result("warmline", 2, 1, 1, 1, 1, 1)}); got != nil {
		t.Errorf("judged without what it needs: %v", got)
	}
}

func TestBarsNameContendersThatExist(t *testing.T) {
	for _, b := range bars {
		for _, name := range []string{b.of, b.against} {
			if _, err := contender.Find(name); name != "" && err != nil {
				t.Errorf("%s: %v", b.what, err)
			}
		}
	}
	groups, err := Config{Rounds: 1, Duration: 1, OnlyBars: true}.groups()
	if err != nil {
		t.Fatal(err)
	}
	var results []Result
	for _, g := range groups {
		for _, name := range g.contenders {
			results = append(results, result(name, g.load.InFlight, 1, 1, 1, 1, 1))
		}
	}
	if got := judge(results); len(got) != len(bars) {
		t.Errorf("what is measured for the bars allows to judge %d of %d", len(got), len(bars))
	}
}

func TestGroupsHaveEachLoadAndEachContenderOnce(t *testing.T) {
	got, err := Config{Contenders: []string{"warmline", "tcp", "tcp"}, InFlight: []int{4, 1}, Payload: []int{64, 8}, Rounds: 1, Duration: 1}.groups()
	if err != nil {
		t.Fatal(err)
	}
	both := []string{"tcp", "warmline"}
	want := []group{
		{contender.Load{InFlight: 4, Payload: 64}, both},
		{contender.Load{InFlight: 1, Payload: 64}, both},
		{contender.Load{InFlight: 4, Payload: 8}, both},
		{contender.Load{InFlight: 1, Payload: 8}, both},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(group{})); diff != "" {
		t.Error(diff)
	}
}

func TestTable(t *testing.T) {
	r := Report{
		Head: harness.Head{Method: harness.Method{Rounds: 3, Duration: 1, WarmUp: 0.3, Text: "one; two"}},
		Results: []Result{
			result("tcp", 1, 38_000.4, 21.04, 123.4, 0.04, 0),
			result("warmline", 1, 999, 1234, 123_456, 2, 10.06),
		},
		Bars: []harness.Bar{
			harness.AtMost("low", 0.254, 0.25),
			harness.AtLeast("high", 1_234_567, 1_000_000),
		},
		Failures: []Failure{{"http1", contender.Load{InFlight: 1, Payload: 256}, 2, "it broke"}},
	}
	var b strings.Builder
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	want := `
256 B, 1 in flight
  contender         requests/s   slowest – fastest round       p50       p99  allocs/op client  server
  tcp                   38,000           38,000 – 38,000   21.0 µs    123 µs               0.0     0.0
  warmline                 999                 999 – 999    1.2 ms    123 ms               2.0    10.1

bars, 256 B
  low                                                          0.25  ≤ 0.25       no
  high                                                    1,234,567  ≥ 1,000,000  yes

came to nothing
  http1, 1 in flight, 256 B, round 2: it broke
`
	_, got, _ := strings.Cut(b.String(), "method    one;\n          two\n\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
