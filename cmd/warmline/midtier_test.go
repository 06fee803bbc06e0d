package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"warmline.dev/internal/proctest"
)

// midTier is an HTTP/JSON service in the test's process: /items?ids=1,2 gives what
// was asked for, each as large as it says.
type midTier struct {
	url      string
	requests atomic.Int64
	size     int                    // of an item, bytes
	latency  time.Duration          // at least; half of it more at random
	sickness atomic.Pointer[string] // hang, half, slow, garbage or huge; nil or "": it is well
}

// much is a piece of an answer that is too large.
var much = bytes.Repeat([]byte("[1],"), 16<<10)

// fallIll answers a request as the sickness says; false: as if there were none.
func (m *midTier) fallIll(w http.ResponseWriter, r *http.Request) bool {
	sickness := m.sickness.Load()
	if sickness == nil {
		return false
	}
	switch *sickness {
	case "hang":
		<-r.Context().Done()
	case "half":
		if m.requests.Load()%2 == 0 {
			return false
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	case "slow":
		select {
		case <-time.After(time.Second):
		case <-r.Context().Done():
		}
		return false
	case "garbage":
		_, _ = io.WriteString(w, "<html>")
	case "huge":
		for range 10 << 20 / len(much) {
			if _, err := w.Write(much); err != nil {
				break
			}
		}
	default:
		return false
	}
	return true
}

func newMidTier(t *testing.T, size int, latency time.Duration) *midTier {
	t.Helper()
	m := &midTier{size: size, latency: latency}
	filler := strings.Repeat("x", size)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.requests.Add(1)
		if m.fallIll(w, r) {
			return
		}
		if m.latency > 0 {
			time.Sleep(m.latency + rand.N(m.latency/2))
		}
		type item struct {
			ID   string `json:"id"`
			Text string `json:"text"`
		}
		var items []item
		for id := range strings.SplitSeq(r.URL.Query().Get("ids"), ",") {
			items = append(items, item{id, filler})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"items": items})
	}))
	t.Cleanup(s.Close)
	m.url = s.URL
	return m
}

// declare writes a file that declares the service items on it.
func (m *midTier) declare(t *testing.T, cache string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "edge.yaml")
	text := fmt.Sprintf(`
sources:
  items:
    url: %s
    timeout: 5s
    largest: 8MiB
    reads:
      item:
        get: /items?ids={id}
        batch: {each: id, most: 100, items: items, key: id}
        cache: {%s}
services:
  items:
    1.0.0:
      items: {read: items.item, args: {ids: {list: string, most: 200}}, each: {ids: id}, as: items, pick: [id]}
`, m.url, cache)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// keyFile makes passport keys.
func keyFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "warmline.keys")
	key, _, code := run(t, "key")
	if err := os.WriteFile(file, []byte(key), 0o600); err != nil || code != 0 {
		t.Fatal("warmline key failed: ", err)
	}
	return file
}

// edgeProcess is an edge that runs.
type edgeProcess struct {
	*proctest.Process
	t         *testing.T
	at, admin string
}

// startEdge starts an edge and waits until it is ready.
func startEdge(t *testing.T, args ...string) *edgeProcess {
	t.Helper()
	return startEdgeOf(t, binary, args...)
}

func startEdgeOf(t *testing.T, binary string, args ...string) *edgeProcess {
	t.Helper()
	e := &edgeProcess{Process: proctest.Start(t, exec.Command(binary, append([]string{"edge", "--listen", "tcp://127.0.0.1:0"}, args...)...)), t: t}
	e.at = e.Expect(`^edge at (\S+)$`)[0]
	e.admin = e.Expect(`^admin at (\S+)$`)[0]
	return e
}

// edgeStats is what the tests look at in edge.stats.
type edgeStats struct {
	Refused int
	Caches  map[string]struct {
		Entries, Hits, Misses, Loads, Dropped int
		Taken                                 int `json:"taken_over"`
		Bytes                                 int
	}
	Sources map[string]struct {
		Breaker  string
		Limit    int
		InFlight int `json:"in_flight"`
		Failures int
		Requests int
		Failed   map[string]int
		Refused  map[string]int
	}
}

func (e *edgeProcess) stats() (s edgeStats) {
	e.t.Helper()
	out, errs, code := run(e.t, "call", "edge.stats", "--edge", e.at)
	if err := json.Unmarshal([]byte(out), &s); err != nil || code != 0 {
		e.t.Fatalf("edge.stats: %s%s (%v)", out, errs, err)
	}
	return s
}

// metric is one figure of the admin port.
func (e *edgeProcess) metric(name string) string {
	e.t.Helper()
	_, body := get(e.t, e.admin+"/metrics")
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	e.t.Fatalf("no metric %s in\n%s", name, body)
	return ""
}
