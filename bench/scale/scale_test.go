package scale

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/load"
	"warmline.dev/bench/peer"
)

func good() Config {
	return Config{
		Contenders: []string{"warmline", "http1"}, Of: []string{Conversations, Lines},
		Lines: []int{10, 1, 10}, Conversations: []int{1, 1000}, Concurrency: 8, Rounds: 1, Duration: 1,
	}
}

func TestSeriesAreInTheOrderOfTheTables(t *testing.T) {
	want := []series{
		{"http1", Lines, []int{1, 10}},
		{"warmline", Lines, []int{1, 10}},
		{"warmline", Conversations, []int{1, 1000}}, // http1 has none
	}
	if diff := cmp.Diff(want, good().series(), cmp.AllowUnexported(series{})); diff != "" {
		t.Error(diff)
	}
}

func sampled(jobs int64, adapter, edge time.Duration, p50 float64, adapterBytes, edgeEach float64) sample {
	return sample{
		Measured: peer.Measured{
			Taken: peer.Taken{Sample: load.Sample{Done: jobs, P50: p50, P99: 2 * p50}, Adapter: harness.Usage{CPU: adapter}},
			Edge:  peer.Served{Usage: harness.Usage{CPU: edge}},
		},
		adapterBytes: adapterBytes, edgeBytes: 3 << 20, adapterEach: 512, edgeEach: edgeEach,
	}
}

func TestSummaryHasMediansAndSpread(t *testing.T) {
	got := summarize(good(), cell{"http1", Lines, 10}, []sample{
		sampled(100, time.Millisecond, 2*time.Millisecond, 5, 1000, 2048),
		sampled(10, time.Millisecond, time.Millisecond, 7, 3000, 1024),
		sampled(100, 3*time.Millisecond, 3*time.Millisecond, 6, 2000, 4096),
	})
	want := Result{
		Contender: "http1", Of: Lines, N: 10, Concurrency: 8, CPU: 60, CPUMin: 30, CPUMax: 200, CPUAdapter: 30, CPUEdge: 30,
		P50: 6, P99: 12, AdapterBytes: 2000, EdgeBytes: 3 << 20, AdapterBytesEach: 512, EdgeBytesEach: 2048, Rounds: 3,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTableShowsWhatGrows(t *testing.T) {
	r := newReport(good())
	samples := map[cell][]sample{}
	for _, at := range []cell{{"http1", Lines, 1}, {"http1", Lines, 10}, {"warmline", Lines, 1}, {"warmline", Conversations, 1000}} {
		samples[at] = []sample{sampled(100, time.Millisecond, 2*time.Millisecond, 500, 20<<20, 2048)}
		if at.n == 1 {
			samples[at][0].adapterEach, samples[at][0].edgeEach = 0, 0
		}
	}
	r.fill(good(), samples)
	r.Failures = []Failure{{"warmline", Lines, 10, 1, "it broke"}}
	var b strings.Builder
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	at := strings.Index(b.String(), "jobs by so many lines")
	if at < 0 {
		t.Fatal(b.String())
	}
	var lines []string // with single spaces: what is there, and not how wide
	for line := range strings.Lines(b.String()[at:]) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"jobs by so many lines, in turn, 8 under way",
		"contender lines CPU/job adapter + edge least – most p50 p99 memory adapter + edge one more: adapter + edge",
		"http1 1 30 = 10 + 20 µs 30 – 30 µs 500 µs 1.0 ms 20.0 MiB + 3.0 MiB",
		"10 30 = 10 + 20 µs 30 – 30 µs 500 µs 1.0 ms 20.0 MiB + 3.0 MiB 512 B + 2.0 KiB",
		"warmline 1 30 = 10 + 20 µs 30 – 30 µs 500 µs 1.0 ms 20.0 MiB + 3.0 MiB",
		"",
		"jobs by one line, beside so many open conversations, 8 under way",
		"contender conversations CPU/job adapter + edge least – most p50 p99 memory adapter + edge one more: adapter + edge",
		"warmline 1,000 30 = 10 + 20 µs 30 – 30 µs 500 µs 1.0 ms 20.0 MiB + 3.0 MiB 512 B + 2.0 KiB",
		"",
		"came to nothing",
		"warmline, 10 lines, round 1: it broke",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if err := r.Err(); err == nil || err.Error() != "1 measurements came to nothing, the first: warmline, 10 lines, round 1: it broke" {
		t.Error(err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	if err := good().Check(); err != nil {
		t.Error(err)
	}
	for name, wrong := range map[string]func(*Config){
		"no contender \"soap\"":                        func(c *Config) { c.Contenders = []string{"soap"} },
		"nothing to measure":                           func(c *Config) { c.Of = nil },
		"conversations for one that has them (":        func(c *Config) { c.Contenders, c.Of = []string{"http1"}, []string{Conversations} },
		"\"users\": expected lines or conversations":   func(c *Config) { c.Of = []string{"users"} },
		"4001 lines: expected 1 to 4000":               func(c *Config) { c.Lines = []int{4001} },
		"0 conversations: expected 1 to":               func(c *Config) { c.Conversations = []int{0} },
		"concurrency 0":                                func(c *Config) { c.Concurrency = 0 },
		"1 rounds of 0s after 0s: expected at least o": func(c *Config) { c.Duration = 0 },
	} {
		c := good()
		wrong(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %q", err, name)
		}
	}
}

func TestLinesNeedFiles(t *testing.T) {
	if err := enough(1000, 2100); err != nil {
		t.Error(err)
	}
	if err := enough(1000, 2099); err == nil || !strings.Contains(err.Error(), "1000 lines need 2100 open files in a process, which may have 2099 here: raise that (ulimit -n)") {
		t.Error(err)
	}
	if err := enough(1000, harness.MaxFiles()); harness.MaxFiles() > 10_000 && err != nil {
		t.Error(err)
	}
}
