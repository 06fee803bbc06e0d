package source_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/edgelayer/source"
	"warmline.dev/protocol"
)

// What is sent again, and what is not: the first answer is as given, the second
// is good.
func TestWhatIsRetried(t *testing.T) {
	type answer = func(*http.Request) (*http.Response, error)
	status := func(code int) answer { return func(*http.Request) (*http.Response, error) { return reply(code, "{}") } }
	breaks := func(err error) answer { return func(*http.Request) (*http.Response, error) { return nil, err } }
	get, put := source.Request{Path: "/x"}, source.Request{Method: "PUT", Path: "/x", Body: []byte("7")}
	shape := func(b []byte) error {
		if string(b) != "{}" {
			return errors.New("it is " + string(b))
		}
		return nil
	}
	for _, tt := range []struct {
		name     string
		first    answer
		ask      source.Request
		attempts int64
	}{
		{"bad gateway", status(502), get, 2},
		{"unavailable", status(503), get, 2},
		{"gateway timeout", status(504), get, 2},
		{"too many requests", status(429), get, 2},
		{"no connection", breaks(errRefused), get, 2},
		{"connection reset", breaks(errReset), get, 2},
		{"connection closed", breaks(errEOF), get, 2},
		{"garbage", func(*http.Request) (*http.Response, error) { return reply(200, "<html>") }, get, 2},
		{"cut off", func(*http.Request) (*http.Response, error) {
			resp, err := reply(200, "")
			resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"a`), errReader{}))
			return resp, err
		}, get, 2},
		{"HEAD", status(502), source.Request{Method: "HEAD", Path: "/x"}, 2},
		{"a POST that is safe", status(502), source.Request{Method: "POST", Path: "/x", Safe: true}, 2},

		{"an answer", status(200), get, 1},
		{"bad request", status(400), get, 1},
		{"forbidden", status(403), get, 1},
		{"not found", status(404), get, 1},
		{"conflict", status(409), get, 1},
		{"unprocessable", status(422), get, 1},
		{"internal error", status(500), get, 1},
		{"too large", func(*http.Request) (*http.Response, error) { return reply(200, strings.Repeat(" ", 101)) }, get, 1},
		{"hung", func(r *http.Request) (*http.Response, error) { return after(forever, r) }, get, 1},

		{"PUT to a bad gateway", status(502), put, 1},
		{"PUT that was cut off", breaks(errReset), put, 1},
		{"PUT that was not sent", breaks(errRefused), put, 2},
		{"POST", status(503), source.Request{Method: "POST", Path: "/x"}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &peer{answer: func(n int64, r *http.Request) (*http.Response, error) {
					if b, _ := io.ReadAll(r.Body); string(b) != string(tt.ask.Body) {
						t.Errorf("attempt %d has the body %q", n, b)
					}
					if n == 1 {
						return tt.first(r)
					}
					return reply(200, "{}")
				}}
				s := of(t, p, source.Config{MaxBody: 100})
				tt.ask.Accept = shape
				err := s.Do(context.Background(), tt.ask)
				if tt.attempts == 2 && err != nil {
					t.Error(err)
				}
				if st := s.Stats(); p.come.Load() != tt.attempts || st.Attempts != tt.attempts || st.Retries != tt.attempts-1 || st.Requests != 1 {
					t.Errorf("%d attempts have come, want %d: %+v", p.come.Load(), tt.attempts, st)
				}

				p.come.Store(0)
				s = of(t, p, source.Config{MaxBody: 100, Retry: noRetry})
				_ = s.Do(context.Background(), tt.ask)
				if p.come.Load() != 1 {
					t.Errorf("%d attempts have come, with retries switched off", p.come.Load())
				}
			})
		})
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestWhatARetryMendsIsNoFailure(t *testing.T) {
	p := &peer{answer: func(n int64, _ *http.Request) (*http.Response, error) {
		if n%2 == 1 {
			return reply(200, `{"Body":"of the first","Method":7}`)
		}
		return reply(200, `{"Method":"GET"}`)
	}}
	s := of(t, p, source.Config{Breaker: source.Breaker{MinRequests: 1, FailureRatio: 0.01}, Hedge: noHedge})
	for range 10 {
		var got asked
		if err := s.Get(context.Background(), "/x", nil, &got); err != nil || got != (asked{Method: "GET"}) {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	if d := cmp.Diff(source.Stats{Requests: 10, Attempts: 20, Failed: source.Failed{Garbage: 10}, Retries: 10, Breaker: "closed"}, counted(s)); d != "" {
		t.Error(d)
	}
}

// A request that failed is paused for ten milliseconds, give or take half of it,
// and twice as long the next time.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		p := &peer{answer: func(int64, *http.Request) (*http.Response, error) {
			at = append(at, time.Now())
			return reply(503, "")
		}}
		s := of(t, p, source.Config{Retry: source.Retry{Attempts: 4, Backoff: 10 * time.Millisecond}, Breaker: noBreaker, Budget: -1})
		pauses := map[time.Duration]bool{}
		for range 100 {
			at = nil
			want(t, get(s), protocol.Unavailable)
			if len(at) != 4 {
				t.Fatalf("%d attempts, want 4", len(at))
			}
			for i, base := range []time.Duration{10, 20, 40} {
				if d := at[i+1].Sub(at[i]); d < base*time.Millisecond/2 || d > base*time.Millisecond*3/2 {
					t.Errorf("pause %d is %v", i+1, d)
				}
			}
			pauses[at[1].Sub(at[0])] = true
		}
		if len(pauses) < 10 {
			t.Errorf("all who failed together come back together: %v", pauses)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	for name, tt := range map[string]struct {
		status   int
		header   string
		urls     int
		timeout  time.Duration
		attempts int64
		took     time.Duration
	}{
		"there is time":       {503, "2", 1, 3 * time.Second, 2, 2 * time.Second},
		"a date":              {503, "Sat, 01 Jan 2000 00:00:02 GMT", 1, 3 * time.Second, 2, 2 * time.Second},
		"a date that is past": {503, "Fri, 31 Dec 1999 00:00:00 GMT", 1, 3 * time.Second, 2, 0},
		"there is no time":    {503, "3", 1, 3 * time.Second, 1, 0},
		"no deadline":         {429, "9", 1, -1, 2, 9 * time.Second},
		"too long":            {429, "11", 1, -1, 1, 0},
		"far too long":        {429, "99999999999999999999", 1, time.Second, 2, 0}, // not understood
		"nothing":             {503, "", 1, time.Second, 2, 0},
		"nonsense":            {503, "soon", 1, time.Second, 2, 0},
		"negative":            {503, "-5", 1, time.Second, 2, 0},
		"another URL":         {503, "3", 2, 3 * time.Second, 2, 0},
		"of everybody":        {429, "3", 2, 3 * time.Second, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &peer{answer: func(n int64, _ *http.Request) (*http.Response, error) {
					if n == 1 {
						return reply(tt.status, "", "Retry-After", tt.header)
					}
					return reply(200, "{}")
				}}
				s := of(t, p, source.Config{Timeout: tt.timeout, URLs: []string{"http://a", "http://b"}[:tt.urls]})
				start := time.Now()
				err := get(s)
				if took := time.Since(start); p.come.Load() != tt.attempts || took != tt.took || (err == nil) != (tt.attempts == 2) {
					t.Errorf("%d attempts in %v: %v", p.come.Load(), took, err)
				}
			})
		})
	}
}

// Half of the requests fail. Ten retries are saved up at the start, and each
// request earns a fifth of one.
func TestRetriesKeepToTheirBudget(t *testing.T) {
	for share, most := range map[float64]int64{0: 10 + 200, 0.05: 10 + 50, -1: 500} {
		p := &peer{answer: func(n int64, r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/bad" {
				return reply(503, "")
			}
			return reply(200, "{}")
		}}
		s := of(t, p, source.Config{Budget: share, Breaker: noBreaker, Hedge: noHedge})
		const requests = 1000
		var last error
		for i := range requests {
			path := []string{"/good", "/bad"}[i%2]
			if err := s.Do(context.Background(), source.Request{Path: path}); path == "/bad" {
				last = err
			}
		}
		st := s.Stats()
		if extra := p.come.Load() - requests; extra > most || extra < most-1 || st.Retries != extra || st.Missed.Budget != 500-extra {
			t.Errorf("share %v: %d more than the requests, want %d: %+v", share, extra, most, st)
		}
		e := want(t, last, protocol.Unavailable)
		if told := strings.Contains(e.Message, "as many retries as the budget allows"); told != (share >= 0) {
			t.Errorf("share %v: %v", share, e)
		}
		if left := st.Budget; (share < 0) != (left == -1) || left >= 1 {
			t.Errorf("share %v: %v are left", share, left)
		}
	}
}

// The place of the limit is kept in the pause, and the caller may go.
func TestACallerThatGivesUpInThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: func(int64, *http.Request) (*http.Response, error) { return reply(503, "") }}
		s := of(t, p, source.Config{
			Timeout: time.Minute, Retry: source.Retry{Backoff: 30 * time.Second}, Limit: source.Limit{Most: 1},
			Breaker: source.Breaker{MinRequests: 1},
		})
		ctx, cancel := context.WithCancel(context.Background())
		result := make(chan error)
		go func() { result <- s.Do(ctx, source.Request{Path: "/x"}) }()
		synctest.Wait()
		want(t, get(s), protocol.Unavailable)
		cancel()
		want(t, <-result, protocol.Canceled)
		if d := cmp.Diff(source.Stats{
			Requests: 1, Attempts: 1, Failed: source.Failed{Status: 1}, Refused: source.Refused{Limit: 1}, Breaker: "closed",
		}, counted(s)); d != "" {
			t.Error(d)
		}
		ctx, cancel = context.WithTimeout(context.Background(), time.Nanosecond)
		defer cancel()
		start := time.Now()
		want(t, s.Do(ctx, source.Request{Path: "/x"}), protocol.Unavailable)
		if time.Since(start) != 0 {
			t.Error("a pause that the caller's time does not last for is not begun")
		}
	})
}
