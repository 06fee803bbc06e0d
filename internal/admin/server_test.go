package admin_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/admin"
	"warmline.dev/internal/await"
)

func TestReadyOnlyBetweenWarmingUpAndStopping(t *testing.T) {
	p := start(t, admin.Edge{})
	p.want("GET /healthz", http.StatusOK, "ok\n")
	p.want("GET /readyz", http.StatusServiceUnavailable, "starting\n")
	p.NotReady("warming up: 1,204 entries from tcp://10.0.0.7:7070")
	p.want("GET /readyz", http.StatusServiceUnavailable, "warming up: 1,204 entries from tcp://10.0.0.7:7070\n")
	p.Ready()
	p.want("GET /readyz", http.StatusOK, "ready\n")
	p.want("HEAD /readyz", http.StatusOK, "")
	p.NotReady("no source answers")
	p.want("GET /readyz", http.StatusServiceUnavailable, "no source answers\n")
	p.Stopping()
	p.Ready() // by one that has warmed up too late
	p.want("GET /readyz", http.StatusServiceUnavailable, "stopping\n")
	p.want("GET /healthz", http.StatusOK, "ok\n")
}

func TestWhatIsNotThereIsToldWithWhatIs(t *testing.T) {
	p := start(t, admin.Edge{})
	for _, what := range []string{"GET /", "GET /debug/pprof/", "POST /metrics", "GET /invalidate", "DELETE /readyz", "GET /metrics/" + strings.Repeat("x", 2000)} {
		status, _, text := p.ask(what, "")
		if status != http.StatusNotFound || len(text) > 600 {
			t.Errorf("%.40s: %d %q", what, status, text)
		}
		for _, path := range []string{"GET  /metrics", "GET  /healthz", "GET  /readyz", "POST /invalidate"} {
			if !strings.Contains(text, path) {
				t.Errorf("%.40s: %q does not name %s", what, text, path)
			}
		}
	}
	if got := p.dropped(); got != nil {
		t.Errorf("dropped %v", got)
	}
}

// A web page whose name its owner points at 127.0.0.1 has the browser on this
// machine ask the port, as the page's own server.
func TestForeignHostIsRefused(t *testing.T) {
	p := startAt(t, admin.Config{Address: "localhost:0"}, admin.Edge{})
	for _, c := range []struct {
		host   string
		status int
	}{
		{"127.0.0.1", http.StatusOK},
		{"127.0.0.1:7071", http.StatusOK},
		{"10.1.2.3:80", http.StatusOK},
		{"[::1]", http.StatusOK},
		{"[::1]:7071", http.StatusOK},
		{"localhost", http.StatusOK},
		{"LocalHost:9", http.StatusOK},
		{"evil.example", http.StatusForbidden},
		{"evil.example:7071", http.StatusForbidden},
		{"localhost.evil.example", http.StatusForbidden},
		{"127.0.0.1.evil.example:7071", http.StatusForbidden},
		{"localhost.", http.StatusForbidden},
		{":7071", http.StatusForbidden},
	} {
		for _, what := range []string{"GET /healthz", "POST /invalidate"} {
			status, _, text := p.ask(what, `{"source":"catalogue","key":"17"}`, "Host", c.host, "Content-Type", "application/json")
			if status != c.status {
				t.Errorf("%s for %s: %d %s", what, c.host, status, text)
			}
			if status == http.StatusForbidden && !strings.Contains(text, "expected an IP address, localhost, or the host in the edge's admin address, localhost") {
				t.Errorf("%s for %s: %s", what, c.host, text)
			}
			if got := p.dropped(); (got != nil) != (what == "POST /invalidate" && status == http.StatusOK) {
				t.Errorf("%s for %s: %d, and dropped %v", what, c.host, status, got)
			}
		}
	}
}

func TestItsOwnHostIsNotForeign(t *testing.T) {
	const address = "admin.example:7071"
	for host, want := range map[string]bool{
		"admin.example": true, "ADMIN.example:80": true, "admin.example.": false, "evil.example": false, "admin.example.evil.example:7071": false, "": false, ":7071": false,
	} {
		if got := admin.IsFor(host, address); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
		if admin.IsFor(host, "127.0.0.1:7071") {
			t.Errorf("%q is another's own", host)
		}
	}
}

func TestNoHostAtAllIsRefused(t *testing.T) {
	p := startAt(t, admin.Config{Address: ":0"}, admin.Edge{}) // whose own host is empty
	_, at, _ := net.SplitHostPort(p.Address())
	if got := raw(t, "127.0.0.1:"+at, "GET /healthz HTTP/1.0\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.0 403 ") {
		t.Errorf("%q", got)
	}
	if log := p.log.String(); !strings.Contains(log, "not on loopback alone") {
		t.Errorf("nothing of the open port in the log: %s", log)
	}
	if log := start(t, admin.Edge{}).log.String(); log != "" {
		t.Errorf("a port on loopback has said %s", log)
	}
}

func TestHeadersAreBounded(t *testing.T) {
	p := start(t, admin.Edge{})
	got := raw(t, p.Address(), "GET /healthz HTTP/1.1\r\nHost: localhost\r\nA: "+strings.Repeat("a", 32<<10)+"\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 431 ") {
		t.Errorf("%.80q", got)
	}
}

func TestHeadersThatDoNotComeAreNotWaitedFor(t *testing.T) {
	t.Parallel() // it takes the five seconds that they may take
	p := start(t, admin.Edge{})
	// That it returns is the test: the port has closed the connection.
	raw(t, p.Address(), "GET /healthz HTTP/1.1\r\nHost: local")
}

func TestConnectionsAreBounded(t *testing.T) {
	const most = 256
	p := start(t, admin.Edge{})
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", p.Address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		return conn
	}
	ask := func(conn net.Conn) {
		answer := make([]byte, 1024)
		if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(answer); err != nil {
			t.Fatal(err)
		}
	}
	first := dial()
	ask(first)
	for range most - 1 {
		ask(dial())
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, err := admin.Invalidate(t.Context(), "http://"+p.Address(), warm.Invalidation{Source: "catalogue", All: true})
		if err != nil {
			t.Error(err)
		}
	}()
	for range most {
		ask(first) // so that the other would have been heard long since
	}
	if got := p.dropped(); got != nil {
		t.Errorf("one more than %d was heard: %v", most, got)
	}
	_ = first.Close()
	await.Value(t, "the other to be heard when one has gone", answered)
	if got := p.dropped(); len(got) != 1 {
		t.Errorf("dropped %v", got)
	}
}

// raw sends text and returns all that is answered until the connection is closed.
func raw(t *testing.T, at, text string) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(await.Context(t), "tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("waited in vain: the connection to be closed")
	}
	return string(answer)
}

func TestConfigMistakesAreTold(t *testing.T) {
	stats := func() edgelayer.Stats { return edgelayer.Stats{} }
	drop := func(context.Context, warm.Invalidation) (admin.Result, error) { return admin.Result{}, nil }
	taken := start(t, admin.Edge{})
	for want, c := range map[string]struct {
		address string
		edge    admin.Edge
	}{
		"expected an Edge with Stats and Invalidate":            {"", admin.Edge{Stats: stats}},
		"expected an Edge with Stats and Invalidate ":           {"", admin.Edge{Invalidate: drop}},
		`"7071": expected HOST:PORT such as 127.0.0.1:7071`:     {"7071", admin.Edge{Stats: stats, Invalidate: drop}},
		"admin: listen tcp " + taken.Address() + ": bind: addr": {taken.Address(), admin.Edge{Stats: stats, Invalidate: drop}},
	} {
		s, err := admin.StartEdge(t.Context(), admin.Config{Address: c.address}, c.edge)
		if err == nil {
			_ = s.Shutdown(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestShutdownLetsWhatIsUnderWayFinish(t *testing.T) {
	entered, goOn := make(chan struct{}), make(chan struct{})
	p := start(t, admin.Edge{Invalidate: func(ctx context.Context, _ warm.Invalidation) (admin.Result, error) {
		close(entered)
		<-goOn
		return admin.Result{Dropped: 7, Bus: admin.Told}, ctx.Err()
	}})
	answered := make(chan admin.Result, 1)
	go func() {
		r, err := admin.Invalidate(t.Context(), "http://"+p.Address(), warm.Invalidation{Source: "catalogue", All: true})
		if err != nil {
			t.Error(err)
		}
		answered <- r
	}()
	await.Value(t, "the invalidation to arrive", entered)
	down := make(chan error, 1)
	go func() { down <- p.Shutdown(await.Context(t)) }()
	await.Until(t, "nobody to be let in any more", func() bool {
		conn, err := net.Dial("tcp", p.Address())
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	close(goOn)
	if r := await.Value(t, "its answer", answered); r.Dropped != 7 {
		t.Errorf("%+v", r)
	}
	if err := await.Value(t, "the end", down); err != nil {
		t.Error(err)
	}
}

func TestShutdownWithoutTimeEndsWhatIsUnderWay(t *testing.T) {
	for name, next := range map[string]string{"by itself": "", "with the next request behind it": "GET /healthz HTTP/1.1\r\n"} {
		t.Run(name, func(t *testing.T) {
			entered := make(chan struct{})
			var left bool
			p := start(t, admin.Edge{Invalidate: func(ctx context.Context, _ warm.Invalidation) (admin.Result, error) {
				close(entered)
				<-ctx.Done()
				left = true
				return admin.Result{}, ctx.Err()
			}})
			answered := make(chan string, 1)
			conn, err := net.Dial("tcp", p.Address())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			send := func(text string) {
				if _, err := io.WriteString(conn, text); err != nil {
					t.Fatal(err)
				}
			}
			send("POST /invalidate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 33\r\n\r\n" +
				`{"source":"catalogue","key":"17"}`)
			await.Value(t, "the invalidation to arrive", entered)
			if next != "" {
				send(next)
				await.Until(t, "net/http to look out for the end of the connection no more", func() bool {
					all := make([]byte, 1<<20)
					return !strings.Contains(string(all[:runtime.Stack(all, true)]), ").backgroundRead(")
				})
			}
			go func() {
				answer, _ := io.ReadAll(conn)
				answered <- string(answer)
			}()
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			down := make(chan error, 1)
			go func() { down <- p.Shutdown(ctx) }()
			if err := await.Value(t, "the end", down); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
			if !left {
				t.Error("Shutdown has returned before the handler")
			}
			if got := await.Value(t, "the client to hear of it", answered); got != "" {
				t.Errorf("it was answered: %s", got)
			}
		})
	}
}
