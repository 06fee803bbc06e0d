package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/proctest"
	"warmline.dev/nodelayer"
)

// items asks an edge for items by their numbers.
func items(ctx context.Context, line *nodelayer.Edge, ids ...string) (int, error) {
	conv := line.Converse(ctx)
	defer conv.Close()
	got, err := nodelayer.Call[struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}](ctx, conv, "items.items", map[string]any{"ids": ids})
	return len(got.Items), err
}

func dial(t *testing.T, address string) *nodelayer.Edge {
	t.Helper()
	line, err := nodelayer.Dial(await.Context(t), nodelayer.Config{Edges: []string{address}, Name: "test", Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = line.Close() })
	return line
}

// asking asks for some of many items, few of them often, for some time.
func asking(t *testing.T, address string, lasts time.Duration) {
	t.Helper()
	line := dial(t, address)
	zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.1, 10, 4999)
	for end := time.Now().Add(lasts); time.Now().Before(end); {
		ids := make([]string, 12)
		for i := range ids {
			ids[i] = fmt.Sprint(zipf.Uint64())
		}
		if n, err := items(t.Context(), line, ids...); n != len(ids) || err != nil {
			t.Fatal(n, err)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// hitRatio is that of what is asked of an edge during a second, from now on.
func hitRatio(t *testing.T, e *edgeProcess) float64 {
	t.Helper()
	before := e.stats().Caches["items.item"]
	asking(t, e.at, time.Second)
	after := e.stats().Caches["items.item"]
	hits, misses := after.Hits-before.Hits, after.Misses-before.Misses
	if hits+misses < 500 {
		t.Fatalf("only %d were asked for", hits+misses)
	}
	return float64(hits) / float64(hits+misses)
}

// An edge that takes the place of another answers from memory from its first second
// on, and not like one that starts cold.
func TestAReplacedEdgeIsWarm(t *testing.T) {
	m := newMidTier(t, 1000, 0)
	args := []string{"--config", m.declare(t, "ttl: 10m"), "--passport-keys", keyFile(t)}
	old := startEdge(t, args...)
	asking(t, old.at, 3*time.Second)
	of := hitRatio(t, old)

	young := startEdge(t, append(args, "--peer", old.at)...)
	old.Signal(syscall.SIGTERM)
	old.Exit(0)
	warm := hitRatio(t, young)
	cold := hitRatio(t, startEdge(t, args...))
	t.Logf("hit ratio of the edge that was replaced %.3f, of the one in its place in its first second %.3f, of a cold one %.3f", of, warm, cold)
	if warm < of-0.03 || cold > warm-0.1 {
		t.Error("the edge in its place is not warm")
	}

	// One that stops hands over to one that goes on.
	other := startEdge(t, append(args, "--peer", young.at, "--warm-up", "-1s")...)
	if n := other.stats().Caches["items.item"].Entries; n != 0 {
		t.Fatalf("it has %d entries", n)
	}
	leaving := startEdge(t, append(args, "--peer", other.at, "--warm-up", "5s")...)
	if _, err := items(t.Context(), dial(t, leaving.at), "1", "2", "3"); err != nil {
		t.Fatal(err)
	}
	leaving.Signal(syscall.SIGTERM)
	leaving.Exit(0)
	if n := other.stats().Caches["items.item"].Taken; n != 3 {
		t.Errorf("it took %d entries over", n)
	}
}

// With no other edge, what was hot is loaded before it is ready.
func TestHotKeysSurviveARestart(t *testing.T) {
	m := newMidTier(t, 1000, 0)
	hot := filepath.Join(t.TempDir(), "hot.keys")
	args := []string{"--config", m.declare(t, "ttl: 10m"), "--passport-keys", keyFile(t), "--hot-keys", hot}
	e := startEdge(t, args...)
	if n, err := items(t.Context(), dial(t, e.at), "1", "2", "3"); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	e.Signal(syscall.SIGTERM)
	e.Exit(0)
	e = startEdge(t, args...)
	before := m.requests.Load()
	if n, err := items(t.Context(), dial(t, e.at), "1", "2", "3"); n != 3 || err != nil || m.requests.Load() != before {
		t.Errorf("%d, %v, and the source was asked %d times", n, err, m.requests.Load()-before)
	}
	e.Signal(syscall.SIGTERM)
	e.Exit(0)
	if text, err := os.ReadFile(hot); err != nil || strings.Contains(string(text), "xxx") {
		t.Errorf("%.300s, %v", text, err)
	}
}

// Two edges and a bus between them that is a nats-server of its own.
func TestEveryEdgeDropsWhatHasChanged(t *testing.T) {
	m := newMidTier(t, 10, 0)
	nats, address := proctest.NATS(t, "-1")
	args := []string{"--config", m.declare(t, "ttl: 1h, refresh_ahead: off"), "--passport-keys", keyFile(t), "--bus", "nats://" + address}
	one, other := startEdge(t, args...), startEdge(t, args...)
	connected := func(e *edgeProcess, want string) {
		t.Helper()
		await.Until(t, "the bus is "+want, func() bool { return e.metric("warmline_bus_connected") == want })
	}
	connected(one, "1")
	connected(other, "1")
	lineOne, lineOther := dial(t, one.at), dial(t, other.at)
	asked := func(line *nodelayer.Edge, ids ...string) int {
		t.Helper()
		before := m.requests.Load()
		if _, err := items(t.Context(), line, ids...); err != nil {
			t.Fatal(err)
		}
		return int(m.requests.Load() - before)
	}
	asked(lineOne, "17", "18")
	asked(lineOther, "17", "18")
	if n := asked(lineOther, "17", "18"); n != 0 {
		t.Fatalf("%d requests", n)
	}
	// A command would take a second to end, with the race detector in it.
	dropped := func(e *edgeProcess) int {
		t.Helper()
		n, err := strconv.Atoi(e.metric(`warmline_cache_dropped_total{cache="items.item"}`))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	invalidate := func(want int, args ...string) string {
		t.Helper()
		out, errs, code := run(t, append([]string{"cache", "invalidate"}, args...)...)
		if code != want {
			t.Fatalf("invalidate %v: %d %s%s", args, code, out, errs)
		}
		return out + errs
	}

	// A key, a prefix, everything: dropped at the other one within a second.
	for _, tt := range []struct {
		what    []string
		dropped []string
	}{
		{[]string{"items", "17"}, []string{"17"}},
		{[]string{"items.item", "--prefix", "1"}, []string{"17", "18"}},
		{[]string{"items", "--all"}, []string{"17", "18"}},
	} {
		want := dropped(other) + len(tt.dropped)
		said := invalidate(0, append(tt.what, "--admin", one.admin)...)
		deadline := time.Now().Add(time.Second)
		for dropped(other) != want {
			if time.Now().After(deadline.Add(4 * time.Second)) {
				t.Fatalf("%v was not dropped at the other edge; said %q", tt.what, said)
			}
		}
		if late := time.Since(deadline); late > 0 {
			t.Errorf("%v was dropped %v late", tt.what, late)
		}
		if n := asked(lineOther, "17", "18"); n != 1 {
			t.Errorf("%d requests", n)
		}
		asked(lineOne, "17", "18")
	}

	// Without the bus: what is known last is served, who invalidates is told, and an
	// edge that was cut off drops what it can't vouch for when it is back.
	if err := nats.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-nats.Ended
	connected(one, "0")
	connected(other, "0")
	if n := asked(lineOther, "17", "18"); n != 0 {
		t.Errorf("%d requests without the bus", n)
	}
	if said := invalidate(1, "items", "17", "--admin", one.admin); !strings.Contains(said, "bus") {
		t.Errorf("it said %q", said)
	}
	_, port, _ := strings.Cut(address, ":")
	proctest.NATS(t, port)
	connected(other, "1")
	await.Until(t, "the other edge drops everything", func() bool { return dropped(other) >= 7 })
	before := m.requests.Load()
	await.Until(t, "what was hot is loaded again", func() bool { return m.requests.Load() > before || asked(lineOther, "17") == 0 })
}

// cacheOfRatings is where the example says how ratings are kept.
var cacheOfRatings = regexp.MustCompile(`(key: video\}\n\s+cache: )\{[^}]*\}`)

// withoutCacheOfRatings is a file that declares the samples' edge, but that nothing is
// kept of ratings.
func withoutCacheOfRatings(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../examples/edge.yaml")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "edge.yaml")
	unkept := cacheOfRatings.ReplaceAllString(string(text), "${1}off")
	if unkept == string(text) {
		t.Fatal("the cache of ratings is not in the example")
	}
	if err := os.WriteFile(config, []byte(unkept), 0o600); err != nil {
		t.Fatal(err)
	}
	return config
}

// mostOpen is how many requests a sample service had to answer at once.
func mostOpen(t *testing.T, state string) int {
	t.Helper()
	var s struct {
		MostOpen int `json:"most_open"`
	}
	if err := json.Unmarshal([]byte(state), &s); err != nil {
		t.Fatal(err)
	}
	return s.MostOpen
}

// sicknesses are what a source can have.
var sicknesses = []string{`{"mode":"hang"}`, `{"mode":"half"}`, `{"mode":"fail"}`, `{"latency":"1s"}`, `{"mode":"garbage"}`, `{"mode":"huge"}`}

// Whatever a source has, the page is served throughout, with the other parts whole,
// and is whole again when the source is. It is asked for each page, as nothing of it
// is kept.
func TestASickSourceNeverTakesThePageDown(t *testing.T) {
	s := startSystemWith(t, "--config", withoutCacheOfRatings(t))
	url := s.web + "/tv@^1/home?profile=paul"
	whole := getPage(t, url)
	for _, sickness := range sicknesses {
		control(t, s.urls["ratings"], sickness)
		degraded := 0
		for range 30 {
			p := getPage(t, url)
			if p.UserProfile != whole.UserProfile || p.Plan != whole.Plan || len(p.Rows) != 1 || len(p.Rows[0].Videos) != len(whole.Rows[0].Videos) {
				t.Fatalf("%s: the rest of the page is not there: %+v", sickness, p)
			}
			if p.Degraded != nil {
				degraded++
				if !slices.Equal(p.Degraded, []string{"ratings"}) {
					t.Fatalf("%s: degraded %v", sickness, p.Degraded)
				}
			}
		}
		stats := (&edgeProcess{t: t, at: s.edgeAt}).stats().Sources["ratings"]
		t.Logf("%s: %d of 30 pages without ratings; breaker %s, limit %d, failed %v, refused %v", sickness, degraded, stats.Breaker, stats.Limit, stats.Failed, stats.Refused)
		if degraded == 0 && sickness != `{"mode":"half"}` {
			t.Errorf("%s: the source is well", sickness)
		}
		if stats.Failures == 0 && sickness != `{"mode":"half"}` {
			t.Errorf("%s: %+v", sickness, stats)
		}
		control(t, s.urls["ratings"], `{"mode":"ok","latency":"1ms"}`)
		await.Until(t, "the page is whole again after "+sickness, func() bool { return getPage(t, url).Degraded == nil })
	}
}

// A source that hangs holds no more of the edge than its limit.
func TestAHungSourceHoldsNoMoreThanItsLimit(t *testing.T) {
	s := startSystemWith(t)
	control(t, s.urls["catalogue"], `{"mode":"hang"}`)
	line := dial(t, s.edgeAt)
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			conv := line.Converse(t.Context())
			defer conv.Close()
			// A film that nobody has asked for: each is another key.
			_, _ = nodelayer.Call[any](t.Context(), conv, "catalogue.videos", map[string]any{"ids": []int{i + 1}}, nodelayer.Fresh())
		})
	}
	wg.Wait()
	_, state := get(t, s.urls["catalogue"]+"/_sample")
	if most := mostOpen(t, state); most > 64 || most == 0 {
		t.Errorf("it held %d requests, at most 64 are declared", most)
	}
	await.Until(t, "all is let go", func() bool {
		return (&edgeProcess{t: t, at: s.edgeAt}).stats().Sources["catalogue"].InFlight == 0
	})
}

// A declaration with mistakes is told of each of them, and nothing starts.
func TestADeclarationWithMistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "edge.yaml")
	if err := os.WriteFile(file, []byte("sources:\n  films:\n    url: films\n    timeout: soon\n    reads: {}\nservices:\n  films:\n    one: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, code := run(t, "edge", "--config", file, "--passport-keys", keyFile(t))
	if code != 2 || out != "" || !strings.Contains(errs, file+":3:") || !strings.Contains(errs, file+":4:") || !strings.Contains(errs, file+":8:") {
		t.Errorf("%d %s%s", code, out, errs)
	}
}

// The file is read again on SIGHUP, all of it or nothing.
func TestSIGHUPReloads(t *testing.T) {
	m := newMidTier(t, 10, 0)
	file := m.declare(t, "ttl: 1h")
	e := startEdge(t, "--config", file, "--passport-keys", keyFile(t))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, change string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(strings.Replace(string(text), old, change, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		e.Signal(syscall.SIGHUP)
	}
	offers := func(version string) func() bool {
		return func() bool {
			out, _, _ := run(t, "call", "edge.stats", "--edge", e.at, "--compact")
			return strings.Contains(out, `"items":["`+version+`"]`)
		}
	}
	change("1.0.0:", "1.5.0:")
	await.Until(t, "1.5.0 is offered", offers("1.5.0"))
	change("ttl: 1h", "ttl: never")
	await.Until(t, "the mistake is logged", func() bool { return strings.Contains(e.Errors.String(), file+":11:") })
	if !offers("1.5.0")() {
		t.Error("a mistake has changed something")
	}
	change("", "")
	await.Until(t, "1.0.0 is offered", offers("1.0.0"))
}

// The admin port tells whether the edge is ready, and figures.
func TestAdminPort(t *testing.T) {
	e := startEdge(t, "--passport-keys", keyFile(t))
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := get(t, e.admin+path); status != 200 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if n := e.metric(`warmline_source_breaker{source="ratings",state="closed"}`); n != "1" {
		t.Errorf("%s", n)
	}
	if said, _, code := run(t, "cache", "invalidate", "catalogue", "17", "--admin", e.admin); code != 0 || !strings.Contains(said, "catalogue") {
		t.Errorf("%d %s", code, said)
	}
	if _, errs, code := run(t, "cache", "invalidate", "catalog", "17", "--admin", e.admin); code == 0 || !strings.Contains(errs, "catalogue") {
		t.Errorf("%d %s", code, errs)
	}
}
