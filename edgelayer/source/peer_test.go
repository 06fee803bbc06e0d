package source_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"warmline.dev/edgelayer/source"
)

// peer is a mid-tier service without a network, for time that does not pass by
// itself. It counts.
type peer struct {
	answer func(n int64, r *http.Request) (*http.Response, error) // the nth request's, from 1

	come, underWay, most atomic.Int64
}

func (p *peer) RoundTrip(r *http.Request) (*http.Response, error) {
	n := p.underWay.Add(1)
	defer p.underWay.Add(-1)
	for most := p.most.Load(); n > most && !p.most.CompareAndSwap(most, n); most = p.most.Load() {
	}
	return p.answer(p.come.Add(1), r)
}

func reply(status int, body string, header ...string) (*http.Response, error) {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// after answers {} after d, unless the request's context ends before.
func after(d time.Duration, r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(d):
		return reply(200, "{}")
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
}

const forever = 1000 * time.Hour

var (
	errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	errReset   = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	errEOF     = errors.New("EOF")
)

// of makes a source of p. What the tests of a policy leave to chance is off:
// retries don't pause.
func of(t *testing.T, p *peer, cfg source.Config) *source.Source {
	t.Helper()
	cfg.Name, cfg.Client = "films", &http.Client{Transport: p}
	if cfg.URLs == nil {
		cfg.URLs = []string{"http://films"}
	}
	if cfg.Retry.Backoff == 0 {
		cfg.Retry.Backoff = -1
	}
	s, err := source.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// off is what is not tested.
var (
	noLimit   = source.Limit{Most: -1}
	noBreaker = source.Breaker{MinRequests: -1}
	noRetry   = source.Retry{Attempts: -1}
	noHedge   = source.Hedge{Quantile: -1}
)

// warmUp asks until the source knows how long answers take.
func warmUp(t *testing.T, s *source.Source) {
	t.Helper()
	for range 64 {
		if err := get(s); err != nil {
			t.Fatal(err)
		}
	}
}
