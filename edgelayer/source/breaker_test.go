package source_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"warmline.dev/edgelayer/source"
	"warmline.dev/internal/await"
	"warmline.dev/protocol"
)

// patient is a service that answers with a status that can be changed, and counts requests.
type patient struct {
	status, requests atomic.Int64
}

func (p *patient) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	p.requests.Add(1)
	w.WriteHeader(int(p.status.Load()))
	_, _ = io.WriteString(w, "{}")
}

func TestBreakerOpensAndClosesAgain(t *testing.T) {
	var ill patient
	ill.status.Store(500)
	var log bytes.Buffer
	s := newSource(t, source.Config{URLs: []string{serve(t, ill.ServeHTTP)}, Breaker: source.Breaker{MinRequests: 4, OpenFor: time.Hour}, Log: zerolog.New(&log)})
	for range 4 {
		if !closed(s) {
			t.Fatalf("%+v", s.Stats())
		}
		want(t, get(s), protocol.Unavailable)
	}
	for range 3 {
		if e := want(t, get(s), protocol.Unavailable); !e.Retry || e.Message != "source films: left alone after failures: circuit breaker is open" {
			t.Errorf("%+v", e)
		}
	}
	if n := ill.requests.Load(); n != 4 {
		t.Errorf("%d requests have come, want 4", n)
	}
	if d := cmp.Diff(source.Stats{Requests: 4, Failures: 4, Attempts: 4, Failed: source.Failed{Status: 4}, Refused: source.Refused{Breaker: 3}, Breaker: "open"}, counted(s)); d != "" {
		t.Error(d)
	}
	var line struct{ Source, From, To, Message string }
	if err := json.Unmarshal(log.Bytes(), &line); err != nil || line.Source != "films" || line.From != "closed" || line.To != "open" {
		t.Errorf("the log says %q, %v", log.String(), err)
	}

	s = newSource(t, source.Config{URLs: []string{serve(t, ill.ServeHTTP)}, Breaker: source.Breaker{MinRequests: 1, OpenFor: time.Millisecond}})
	want(t, get(s), protocol.Unavailable)
	await.Until(t, "a request that fails is let through to try", func() bool { _ = get(s); return s.Stats().Requests > 1 })
	ill.status.Store(200)
	await.Until(t, "a request succeeds", func() bool { return get(s) == nil })
	if !closed(s) {
		t.Errorf("well again: %+v", s.Stats())
	}
}

func TestAnswersThatSayNoAreNoFailures(t *testing.T) {
	for _, status := range []int64{400, 403, 404, 409, 422} {
		var no patient
		no.status.Store(status)
		s := newSource(t, source.Config{URLs: []string{serve(t, no.ServeHTTP)}, Breaker: source.Breaker{MinRequests: 1, FailureRatio: 0.01}})
		for range 10 {
			if err := get(s); err == nil {
				t.Fatalf("HTTP %d is no error", status)
			}
		}
		if d := cmp.Diff(source.Stats{Requests: 10, Attempts: 10, Breaker: "closed"}, counted(s)); d != "" {
			t.Errorf("HTTP %d:\n%s", status, d)
		}
	}
}

func TestBreakerCanBeSwitchedOff(t *testing.T) {
	var ill patient
	ill.status.Store(500)
	s := newSource(t, source.Config{URLs: []string{serve(t, ill.ServeHTTP)}, Breaker: source.Breaker{MinRequests: -1, FailureRatio: 0.01}})
	for range 30 {
		want(t, get(s), protocol.Unavailable)
	}
	if d := cmp.Diff(source.Stats{Requests: 30, Failures: 30, Attempts: 30, Failed: source.Failed{Status: 30}, Breaker: "off"}, counted(s)); d != "" || ill.requests.Load() != 30 {
		t.Error(d)
	}
}

// wire is a service without a network, for time that does not pass by itself.
type wire func(*http.Request) (status int, err error)

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	status, err := w(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("{}")), Request: r}, nil
}

// defaults is a source with the defaults of Config.
func defaults(t *testing.T, w wire) *source.Source {
	t.Helper()
	s, err := source.New(source.Config{Name: "films", URLs: []string{"http://films"}, Client: &http.Client{Transport: w}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDefaultTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := defaults(t, func(r *http.Request) (int, error) {
			<-r.Context().Done()
			return 0, r.Context().Err()
		})
		start := time.Now()
		want(t, get(s), protocol.DeadlineExceeded)
		if d := time.Since(start); d != 400*time.Millisecond {
			t.Errorf("after %v, want 400 ms", d)
		}
	})
}

func TestDefaultBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		status := 500
		s := defaults(t, func(*http.Request) (int, error) { return status, nil })
		// Half of five have to fail, and within ten seconds.
		for range 4 {
			_ = get(s)
		}
		time.Sleep(11 * time.Second)
		_ = get(s)
		if !closed(s) {
			t.Fatalf("after four failures and, past the window, another: %+v", s.Stats())
		}
		status = 200
		for range 3 {
			_ = get(s)
		}
		status = 500
		_ = get(s)
		if !closed(s) {
			t.Fatalf("after two failures in five: %+v", s.Stats())
		}
		_ = get(s)
		if s.Stats().Breaker != "open" {
			t.Fatalf("after three in six: %+v", s.Stats())
		}
		// It is left alone for two seconds, and then tried once.
		sent := s.Stats().Requests
		time.Sleep(2 * time.Second)
		if e := want(t, get(s), protocol.Unavailable); !e.Retry || s.Stats().Requests != sent {
			t.Fatalf("%+v, %+v", e, s.Stats())
		}
		time.Sleep(time.Nanosecond)
		if s.Stats().Breaker != "half-open" {
			t.Fatalf("%+v", s.Stats())
		}
		if e := want(t, get(s), protocol.Unavailable); e.Retry || s.Stats().Requests != sent+1 || s.Stats().Breaker != "open" {
			t.Fatalf("%+v, %+v", e, s.Stats())
		}
		time.Sleep(2*time.Second + 1)
		status = 200
		if err := get(s); err != nil || !closed(s) {
			t.Fatalf("%v, %+v", err, s.Stats())
		}
	})
}

// While one request tries whether the source is well, others are refused; a
// caller that gives that one up does not leave the source shut off for good.
func TestTheRequestThatTriesMayBeGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := false
		s := defaults(t, func(r *http.Request) (int, error) {
			if !hang {
				return 500, nil
			}
			<-r.Context().Done()
			return 0, r.Context().Err()
		})
		for range 5 {
			_ = get(s)
		}
		time.Sleep(3 * time.Second)
		hang = true
		ctx, cancel := context.WithCancel(context.Background())
		result := make(chan error)
		go func() { result <- s.Get(ctx, "/x", nil, new(any)) }()
		synctest.Wait()
		if e := want(t, get(s), protocol.Unavailable); !e.Retry || !strings.Contains(e.Message, "left alone") {
			t.Errorf("a second one: %+v", e)
		}
		cancel()
		want(t, <-result, protocol.Canceled)
		hang = false
		if e := want(t, get(s), protocol.Unavailable); e.Retry || !strings.Contains(e.Message, "HTTP 500") {
			t.Errorf("the next to try is not let through: %+v", e)
		}
	})
}

func TestTimeoutsOpenTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := defaults(t, func(r *http.Request) (int, error) {
			<-r.Context().Done()
			return 0, context.Cause(r.Context())
		})
		for range 5 {
			want(t, get(s), protocol.DeadlineExceeded)
		}
		if e := want(t, get(s), protocol.Unavailable); !e.Retry || s.Stats().Breaker != "open" || errors.Is(e, context.DeadlineExceeded) {
			t.Errorf("%+v, %+v", e, s.Stats())
		}
	})
}
