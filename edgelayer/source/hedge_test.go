package source_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/edgelayer/source"
	"warmline.dev/protocol"
)

// usual is a source that has learnt that answers take 10 ms; the next attempts
// fare as given, and all others like those before.
func usual(t *testing.T, cfg source.Config, next ...func(*http.Request) (*http.Response, error)) (p *peer, s *source.Source) {
	t.Helper()
	p = &peer{answer: func(n int64, r *http.Request) (*http.Response, error) {
		if i := int(n) - 65; i >= 0 && i < len(next) {
			return next[i](r)
		}
		return after(10*time.Millisecond, r)
	}}
	s = of(t, p, cfg)
	warmUp(t, s)
	return p, s
}

func takes(d time.Duration) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) { return after(d, r) }
}

func TestASlowRequestIsSentOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		canceled := make(chan time.Duration, 1)
		start := time.Now()
		_, s := usual(t, source.Config{}, func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			canceled <- time.Since(start)
			return nil, context.Cause(r.Context())
		}, takes(5*time.Millisecond))
		start = time.Now()
		if err := get(s); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start).Round(time.Millisecond); took != 15*time.Millisecond {
			t.Errorf("%v, want the p95 of 10 ms and 5 ms of the second attempt", took)
		}
		if at := (<-canceled).Round(time.Millisecond); at != 15*time.Millisecond {
			t.Errorf("the first attempt was cancelled after %v", at)
		}
		if d := cmp.Diff(source.Stats{Requests: 65, Attempts: 66, Hedges: 1, HedgesWon: 1, Breaker: "closed"}, counted(s)); d != "" {
			t.Error(d)
		}
	})
}

func TestTheHedgeThatLosesIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		canceled := false
		_, s := usual(t, source.Config{}, takes(12*time.Millisecond), func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			canceled = true
			return nil, context.Cause(r.Context())
		})
		start := time.Now()
		if err := get(s); err != nil || time.Since(start) != 12*time.Millisecond || !canceled {
			t.Errorf("%v after %v, cancelled: %t", err, time.Since(start), canceled)
		}
		if d := cmp.Diff(source.Stats{Requests: 65, Attempts: 66, Hedges: 1, Breaker: "closed"}, counted(s)); d != "" {
			t.Error(d)
		}
	})
}

func TestWhatIsHedged(t *testing.T) {
	get, slow := source.Request{Path: "/x"}, takes(50*time.Millisecond)
	for name, tt := range map[string]struct {
		cfg    source.Config
		ask    source.Request
		first  func(*http.Request) (*http.Response, error)
		hedges int64
	}{
		"what is slow":        {source.Config{}, get, slow, 1},
		"a POST that is safe": {source.Config{}, source.Request{Method: "POST", Path: "/x", Safe: true}, slow, 1},
		"nothing else is on":  {source.Config{Limit: noLimit, Breaker: noBreaker, Retry: noRetry, Timeout: -1, Budget: -1}, get, slow, 1},
		"not what is quick":   {source.Config{}, get, takes(9 * time.Millisecond), 0},
		"not PUT":             {source.Config{}, source.Request{Method: "PUT", Path: "/x"}, slow, 0},
		"not if switched off": {source.Config{Hedge: noHedge}, get, slow, 0},
		"not without a place": {source.Config{Limit: source.Limit{Most: 1}}, get, slow, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, s := usual(t, tt.cfg, tt.first, takes(time.Millisecond))
				if err := s.Do(context.Background(), tt.ask); err != nil {
					t.Error(err)
				}
				st := s.Stats()
				if st.Hedges != tt.hedges || p.come.Load() != 65+tt.hedges {
					t.Errorf("%d hedges, want %d: %+v", st.Hedges, tt.hedges, st)
				}
				if (name == "not without a place") != (st.Missed.Limit == 1) {
					t.Errorf("%+v", st)
				}
			})
		})
	}
}

func TestNoHedgeWithoutTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s := usual(t, source.Config{}, takes(50*time.Millisecond))
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		want(t, s.Do(ctx, source.Request{Path: "/x"}), protocol.DeadlineExceeded)
		if n := s.Stats().Hedges; n != 0 {
			t.Errorf("%d hedges with as much time as a usual answer takes", n)
		}
	})
}

// No more hedges than are saved up: all requests are slow from now on, and few
// would be quicker a second time.
func TestHedgesKeepToTheirBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := make([]func(*http.Request) (*http.Response, error), 2000)
		for i := range next {
			next[i] = takes(50 * time.Millisecond)
		}
		p, s := usual(t, source.Config{Budget: 0.1, Breaker: noBreaker}, next...)
		const requests = 1000
		for range requests {
			if err := get(s); err != nil {
				t.Fatal(err)
			}
		}
		st := s.Stats()
		if extra := p.come.Load() - 64 - requests; extra > 10+requests/10 || st.Hedges != extra || st.Missed.Budget == 0 {
			t.Errorf("%d more than the requests: %+v", extra, st)
		}
	})
}

// What is slow is measured: 95 of 100 answers take 20 ms at most.
func TestWhatIsSlowIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for quantile, delay := range map[float64]time.Duration{0: 20 * time.Millisecond, 0.5: 10 * time.Millisecond} {
			var begun []time.Time
			p := &peer{answer: func(n int64, r *http.Request) (*http.Response, error) {
				begun = append(begun, time.Now())
				switch {
				case n > 256:
					return after(350*time.Millisecond, r)
				case n%25 == 0:
					return after(200*time.Millisecond, r)
				case n%5 == 0:
					return after(20*time.Millisecond, r)
				}
				return after(10*time.Millisecond, r)
			}}
			s := of(t, p, source.Config{Hedge: source.Hedge{Quantile: quantile}, Limit: source.Limit{Most: 1}}) // no hedge has a place
			for range 256 {
				if err := get(s); err != nil {
					t.Fatal(err)
				}
			}
			if st := s.Stats(); st.P50 != 10 || st.P95 != 20 {
				t.Errorf("p50 %v ms, p95 %v ms, want 10 and 20", st.P50, st.P95)
			}
			missed := s.Stats().Missed.Limit
			go func() { _ = get(s) }()
			time.Sleep(delay)
			synctest.Wait()
			before := s.Stats().Missed.Limit
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if after := s.Stats().Missed.Limit; before != missed || after != missed+1 {
				t.Errorf("quantile %v: %d, %d and %d hedges were due before and after %v", quantile, missed, before, after, delay)
			}
			time.Sleep(time.Second)
		}
	})
}

// Attempts that are cancelled because a hedge was first would have taken longer.
// If they were forgotten, ever more requests would be thought slow.
func TestHedgesDoNotMakeMoreHedges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: func(n int64, r *http.Request) (*http.Response, error) {
			if n%25 == 0 {
				return after(time.Second, r)
			}
			rnd := rand.New(rand.NewPCG(1, uint64(n)))
			return after(time.Duration(10_000+rnd.IntN(10_000))*time.Microsecond, r)
		}}
		s := of(t, p, source.Config{Budget: -1, Timeout: -1})
		const requests = 10_000
		for range requests {
			if err := get(s); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.Stats().Hedges; n < requests*3/100 || n > requests*7/100 {
			t.Errorf("%d hedges in %d requests, want five in a hundred", n, requests)
		}
	})
}

func TestWhoseAnswerCounts(t *testing.T) {
	type answer = func(*http.Request) (*http.Response, error)
	in := func(d time.Duration, status int, body string) answer {
		return func(r *http.Request) (*http.Response, error) {
			if resp, err := after(d*time.Millisecond, r); err != nil {
				return resp, err
			}
			return reply(status, body)
		}
	}
	for name, tt := range map[string]struct {
		first, second answer // the second comes 10 ms later
		took          time.Duration
		code          protocol.Code // 0: none
		got           string
		won           int64
	}{
		"the first is quicker":         {in(15, 200, `"first"`), in(90, 200, `"second"`), 15, 0, "first", 0},
		"the second is quicker":        {in(90, 200, `"first"`), in(5, 200, `"second"`), 15, 0, "second", 1},
		"the second says no":           {in(90, 200, `"first"`), in(5, 404, ""), 15, protocol.NotFound, "", 1},
		"the first says no":            {in(15, 404, ""), in(90, 200, `"second"`), 15, protocol.NotFound, "", 0},
		"the second is garbage":        {in(90, 200, `"first"`), in(5, 200, `{}`), 90, 0, "first", 0},
		"the first is garbage":         {in(15, 200, `{}`), in(90, 200, `"second"`), 100, 0, "second", 1},
		"the first fails":              {in(15, 500, ""), in(30, 200, `"second"`), 40, 0, "second", 1},
		"the second fails":             {in(90, 200, `"first"`), in(5, 500, ""), 90, 0, "first", 0},
		"both fail":                    {in(15, 500, ""), in(30, 500, ""), 40, protocol.Unavailable, "", 0},
		"both hang":                    {in(900, 200, ""), in(900, 200, ""), 400, protocol.DeadlineExceeded, "", 0},
		"the first fails, one hangs":   {in(15, 500, ""), in(900, 200, ""), 400, protocol.Unavailable, "", 0},
		"it fails before a hedge":      {in(5, 500, ""), in(30, 200, `"second"`), 5, protocol.Unavailable, "", 0},
		"the second has no connection": {in(90, 200, `"first"`), func(*http.Request) (*http.Response, error) { return nil, errRefused }, 90, 0, "first", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, s := usual(t, source.Config{Retry: noRetry}, tt.first, tt.second)
				var got string
				start := time.Now()
				err := s.Get(context.Background(), "/x", nil, &got)
				took := time.Since(start).Round(time.Millisecond)
				if tt.code != 0 {
					want(t, err, tt.code)
				} else if err != nil {
					t.Error(err)
				}
				if st := s.Stats(); got != tt.got || took != tt.took*time.Millisecond || st.HedgesWon != tt.won || st.InFlight != 0 {
					t.Errorf("%q after %v, %+v", got, took, st)
				}
			})
		})
	}
}

// Accept belongs to the caller, and so does its panic, whichever attempt's answer
// it was about.
func TestAPanicIsTheCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, first := range []time.Duration{time.Millisecond, time.Minute} {
			_, s := usual(t, source.Config{}, takes(first), takes(time.Millisecond))
			func() {
				defer func() {
					if p := recover(); p != "not so" {
						t.Errorf("recovered %v", p)
					}
				}()
				_ = s.Do(context.Background(), source.Request{Path: "/x", Accept: func([]byte) error { panic("not so") }})
				t.Error("Do has returned")
			}()
			if n := s.Stats().InFlight; n != 0 {
				t.Errorf("%d are still under way", n)
			}
			for range 65 { // no place is lost
				if err := get(s); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// Two attempts whose answers come together: one of them is looked at, and what
// is decoded is whole.
func TestOneAnswerIsLookedAtAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: func(n int64, r *http.Request) (*http.Response, error) {
			d := 10 * time.Millisecond
			if n > 64 && n%32 == 1 {
				d = 2*d + 1 // together with its hedge's
			}
			resp, err := after(d, r)
			if err == nil {
				resp, err = reply(200, fmt.Sprintf(`{"URI":"%[1]d","Body":"%[1]d"}`, n))
			}
			return resp, err
		}}
		s := of(t, p, source.Config{Budget: -1})
		warmUp(t, s)
		for range 1000 {
			var got asked
			accepted := 0
			err := s.Do(context.Background(), source.Request{Path: "/x", Accept: func(b []byte) error {
				if accepted++; accepted > 1 {
					return errors.New("again")
				}
				return json.Unmarshal(b, &got)
			}})
			if err != nil || accepted != 1 || got.URI == "" || got.URI != got.Body {
				t.Fatalf("%d looked at, %+v, %v", accepted, got, err)
			}
		}
		if st := s.Stats(); st.Hedges < 20 {
			t.Errorf("%+v", st)
		}
	})
}
