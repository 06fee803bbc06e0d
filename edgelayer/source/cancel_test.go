package source_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/edgelayer/source"
	"warmline.dev/protocol"
)

// hang is a service that answers nothing, or only half of it, and tells when a
// request has come and when its context has ended.
func hang() (h http.HandlerFunc, come, gone chan struct{}) {
	come, gone = make(chan struct{}, 100), make(chan struct{}, 100)
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/half" {
			_, _ = w.Write([]byte(`{"half":`))
			_ = http.NewResponseController(w).Flush()
		}
		come <- struct{}{}
		<-r.Context().Done()
		gone <- struct{}{}
	}, come, gone
}

func TestDeadlines(t *testing.T) {
	for _, path := range []string{"/none", "/half"} {
		h, _, gone := hang()
		s := newSource(t, source.Config{URLs: []string{serve(t, h)}, Timeout: 50 * time.Millisecond})
		e := want(t, s.Get(context.Background(), path, nil, new(any)), protocol.DeadlineExceeded)
		if e.Retry || !errors.Is(e, context.DeadlineExceeded) {
			t.Errorf("%s: %+v", path, e)
		}
		<-gone // the service is told
		if d := cmp.Diff(source.Stats{Requests: 1, Failures: 1, Attempts: 1, Failed: source.Failed{Timeout: 1}, Breaker: "closed"}, counted(s)); d != "" {
			t.Errorf("%s:\n%s", path, d)
		}

		// The caller's own deadline holds where it comes first, and alone where there is no other.
		for _, timeout := range []time.Duration{time.Minute, -1} {
			s := newSource(t, source.Config{URLs: []string{serve(t, h)}, Timeout: timeout})
			ctx, cancel := context.WithTimeoutCause(context.Background(), 50*time.Millisecond, errors.New("the budget is spent"))
			want(t, s.Get(ctx, path, nil, new(any)), protocol.DeadlineExceeded)
			cancel()
			<-gone
			if d := cmp.Diff(source.Stats{Requests: 1, Attempts: 1, Breaker: "closed"}, counted(s)); d != "" {
				t.Errorf("%s: a caller with no time to spare says nothing about the source:\n%s", path, d)
			}
		}
	}
}

func TestASpentBudgetStartsNoWork(t *testing.T) {
	s := newSource(t, source.Config{URLs: []string{serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request has come") })}})
	ctx, cancel := context.WithTimeout(context.Background(), -time.Second)
	defer cancel()
	want(t, s.Get(ctx, "/x", nil, new(any)), protocol.DeadlineExceeded)
	ctx, cancel = context.WithCancel(context.Background())
	cancel()
	want(t, s.Get(ctx, "/x", nil, new(any)), protocol.Canceled)
	if d := cmp.Diff(source.Stats{Breaker: "closed"}, counted(s)); d != "" {
		t.Error(d)
	}
}

func TestTheCallersCancelReachesTheServiceAndIsNoFailure(t *testing.T) {
	h, come, gone := hang()
	s := newSource(t, source.Config{URLs: []string{serve(t, h)}, Breaker: source.Breaker{MinRequests: 1, FailureRatio: 0.01}})
	n := int64(0)
	for _, path := range []string{"/none", "/half"} {
		for _, cause := range []error{nil, errors.New("the conversation is over")} {
			ctx, cancel := context.WithCancelCause(context.Background())
			result := make(chan error)
			go func() { result <- s.Get(ctx, path, nil, new(any)) }()
			<-come
			cancel(cause)
			if e := want(t, <-result, protocol.Canceled); e.Retry || !errors.Is(e, context.Canceled) {
				t.Errorf("%s, %v: %+v", path, cause, e)
			}
			<-gone
			n++
			if d := cmp.Diff(source.Stats{Requests: n, Attempts: n, Breaker: "closed"}, counted(s)); d != "" {
				t.Fatalf("%s, %v:\n%s", path, cause, d)
			}
		}
	}
}

func TestOneTooManyIsRefusedAtOnce(t *testing.T) {
	const most = 3
	come, end := make(chan struct{}), make(chan struct{})
	base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		come <- struct{}{}
		<-end
		_, _ = w.Write([]byte("{}"))
	})
	s := newSource(t, source.Config{Limit: source.Limit{Most: most}, URLs: []string{base}})
	results := make(chan error)
	for range most {
		go func() { results <- get(s) }()
	}
	for range most {
		<-come
	}
	for range 2 { // at once: with none of the others done
		if e := want(t, get(s), protocol.Unavailable); !e.Retry || e.Message != "source films: 3 requests are under way, as many as it bears" {
			t.Errorf("%+v", e)
		}
	}
	if d := cmp.Diff(source.Stats{Requests: most, Attempts: most, Refused: source.Refused{Limit: 2}, InFlight: most, Breaker: "closed"}, counted(s)); d != "" {
		t.Error(d)
	}
	close(end)
	for range most {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	go func() { <-come }()
	if err := get(s); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if n := s.Stats().InFlight; n != 0 {
		t.Errorf("%d in flight at the end", n)
	}
}
