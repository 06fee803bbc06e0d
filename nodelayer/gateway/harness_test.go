package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/internal/await"
	"warmline.dev/internal/logged"
	"warmline.dev/internal/serving"
	"warmline.dev/internal/wildcard"
	"warmline.dev/nodelayer/adapter"
	"warmline.dev/nodelayer/gateway"
	"warmline.dev/passport"
)

// site is the gateway under test, with HTTP in front and lines behind.
type site struct {
	*gateway.Server
	t     testing.TB
	front *httptest.Server
	addr  string // for adapters
	keys  *passport.Keyring
	log   *logged.Log
}

// start starts a gateway. It has keys and a log, and a budget that no test
// spends by being slow.
func start(t testing.TB, cfg gateway.Config) *site {
	t.Helper()
	g := &site{t: t, keys: newKeys(t), log: &logged.Log{}}
	cfg.Keys, cfg.Log = g.keys, zerolog.New(g.log)
	if cfg.Budget == 0 {
		cfg.Budget = time.Minute // no test waits for it
	}
	var err error
	if g.Server, err = gateway.New(cfg); err != nil {
		t.Fatal(err)
	}
	g.addr = serving.Start(t, g.ServeLines, g.Close)
	g.front = httptest.NewServer(g.Server)
	t.Cleanup(g.front.Close)
	return g
}

func newKeys(t testing.TB) *passport.Keyring {
	t.Helper()
	keys, err := passport.NewKeyring(passport.NewKey("k1"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// offer serves an adapter to the gateway: "tv@2.0.0".
func (g *site) offer(adapterVersion string, h http.Handler) *adapter.Server {
	g.t.Helper()
	name, version, _ := strings.Cut(adapterVersion, "@")
	s, err := adapter.Serve(await.Context(g.t), adapter.Config{Name: name, Version: version, Handler: h, Gateways: []string{g.addr}})
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = s.Shutdown(ended()) })
	return s
}

// telling offers adapters that tell their name, version and the path they see.
func (g *site) telling(adapters ...string) *site {
	g.t.Helper()
	for _, a := range adapters {
		g.offer(a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s %s", a, r.URL.Path) }))
	}
	return g
}

// answer is what a device gets.
type answer struct {
	status int
	header http.Header
	body   string
	err    error
}

func (g *site) get(path string) answer {
	g.t.Helper()
	return g.must(g.request(await.Context(g.t), "GET", path, nil))
}

// want compares status and body, in which … stands for any text.
func (g *site) want(path string, status int, body string) answer {
	g.t.Helper()
	got := g.get(path)
	got.want(g.t, path, status, body)
	return got
}

func (a answer) want(t testing.TB, what string, status int, body string) {
	t.Helper()
	if a.err != nil || a.status != status || !wildcard.Match(a.body, body) {
		t.Errorf("%s\n got %d %s %v\nwant %d %s", what, a.status, a.body, a.err, status, body)
	}
}

func (g *site) request(ctx context.Context, method, path string, body io.Reader) *http.Request {
	g.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, g.front.URL+path, body)
	if err != nil {
		g.t.Fatal(err)
	}
	return r
}

// send sends a device's request.
func (g *site) send(r *http.Request) answer {
	response, err := g.front.Client().Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, strings.TrimSuffix(string(body), "\n"), err}
}

// must is for requests that are answered in any case.
func (g *site) must(r *http.Request) answer {
	g.t.Helper()
	a := g.send(r)
	if a.err != nil {
		g.t.Fatalf("%s %s: %v", r.Method, r.URL.Path, a.err)
	}
	return a
}

// later sends a device's request beside the test.
func (g *site) later(path string) <-chan answer {
	r, done := g.request(context.Background(), "GET", path, nil), make(chan answer, 1)
	go func() { done <- g.send(r) }()
	return done
}

// requests are the log's lines about device requests; as many are waited for, as
// a line is written when the device has its answer.
func (g *site) requests(n int) []map[string]any {
	g.t.Helper()
	var lines []map[string]any
	await.Until(g.t, "the log", func() bool {
		lines = nil
		for text := range strings.Lines(g.log.String()) {
			var line map[string]any
			if err := json.Unmarshal([]byte(text), &line); err != nil {
				g.t.Fatalf("a log line that is no JSON: %s", text)
			}
			if line["message"] == "device request" {
				lines = append(lines, line)
			}
		}
		return len(lines) >= n
	})
	if len(lines) != n {
		g.t.Errorf("%d log lines for %d requests:\n%s", len(lines), n, g.log)
	}
	return lines
}

// gate is a handler whose requests wait until they are let go or their context ends.
type gate struct {
	name    string
	entered chan string
	door    chan struct{}
	gone    chan error // why a request's context ended
}

func newGate() *gate {
	return &gate{entered: make(chan string, 100), door: make(chan struct{}), gone: make(chan error, 100)}
}

// named is the same gate under a name that entered tells.
func (g gate) named(name string) *gate { g.name = name; return &g }

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.entered <- g.name
	select {
	case <-g.door:
		fmt.Fprint(w, "done")
	case <-r.Context().Done():
		g.gone <- r.Context().Err()
	}
}

// ended is a context that has ended.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
