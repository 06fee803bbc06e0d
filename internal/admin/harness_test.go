package admin_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/source"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/admin"
	"warmline.dev/internal/await"
	"warmline.dev/internal/logged"
)

// port is a running admin port, and what it was asked to drop.
type port struct {
	*admin.Server
	t   *testing.T
	web *http.Client
	log logged.Log

	mu  sync.Mutex
	got []warm.Invalidation // guarded by mu
}

var errNoBus = errors.New("no bus at 10.0.0.9:4222")

// start starts a port of an edge with the sources catalogue and members. What is
// left out of e answers: an invalidation drops one value, and the bus is told,
// unless it is of members.
func start(t *testing.T, e admin.Edge) *port {
	t.Helper()
	return startAt(t, admin.Config{}, e)
}

func startAt(t *testing.T, cfg admin.Config, e admin.Edge) *port {
	t.Helper()
	if e.Stats == nil {
		e.Stats = func() edgelayer.Stats {
			return edgelayer.Stats{Sources: map[string]source.Stats{"catalogue": {}, "members": {}}}
		}
	}
	p := &port{t: t}
	if e.Invalidate == nil {
		e.Invalidate = p.invalidate
	}
	return p.serve(cfg, func(cfg admin.Config) (*admin.Server, error) { return admin.StartEdge(t.Context(), cfg, e) })
}

func (p *port) serve(cfg admin.Config, start func(admin.Config) (*admin.Server, error)) *port {
	p.t.Helper()
	p.web = &http.Client{Transport: &http.Transport{}}
	if cfg.Address == "" {
		cfg.Address = "127.0.0.1:0"
	}
	cfg.Log = zerolog.New(&p.log)
	var err error
	if p.Server, err = start(cfg); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		p.web.CloseIdleConnections()
		if err := p.Shutdown(await.Context(p.t)); err != nil {
			p.t.Error(err)
		}
	})
	return p
}

func (p *port) invalidate(_ context.Context, i warm.Invalidation) (admin.Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, i)
	if i.Source == "members" {
		return admin.Result{Dropped: 3}, errNoBus
	}
	return admin.Result{Dropped: 1, Bus: admin.Told}, nil
}

// dropped is what it was asked to drop since the last time.
func (p *port) dropped() []warm.Invalidation {
	p.mu.Lock()
	defer p.mu.Unlock()
	got := p.got
	p.got = nil
	return got
}

// ask sends a request: "GET /healthz", "POST /invalidate". Headers are NAME, VALUE.
func (p *port) ask(what, body string, headers ...string) (status int, header http.Header, text string) {
	p.t.Helper()
	method, path, _ := strings.Cut(what, " ")
	req, err := http.NewRequestWithContext(await.Context(p.t), method, "http://"+p.Address()+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	for n := 0; n < len(headers); n += 2 {
		if headers[n] == "Host" {
			req.Host = headers[n+1]
		}
		req.Header.Add(headers[n], headers[n+1])
	}
	res, err := p.web.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(answer)
}

// want asks and expects a status and an answer that begins so.
func (p *port) want(what string, status int, answer string) {
	p.t.Helper()
	if got, _, text := p.ask(what, ""); got != status || !strings.HasPrefix(text, answer) {
		p.t.Errorf("%s: %d %q, want %d %q", what, got, text, status, answer)
	}
}
