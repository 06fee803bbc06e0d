package source_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/edgelayer/source"
	"warmline.dev/internal/await"
	"warmline.dev/protocol"
)

// all has n callers ask at once, and counts them by code; 0: answered.
func all(n int, s *source.Source) map[protocol.Code]int {
	var wg sync.WaitGroup
	results := make(chan protocol.Code, n)
	for range n {
		wg.Go(func() {
			if e := protocol.AsError(get(s)); e != nil {
				results <- e.Code
			} else {
				results <- 0
			}
		})
	}
	wg.Wait()
	close(results)
	codes := map[protocol.Code]int{}
	for c := range results {
		codes[c]++
	}
	return codes
}

// hangs is a source that answers after d, and not at all what comes while it is hung.
func hangs(d time.Duration) (p *peer, hung *atomic.Bool) {
	hung = new(atomic.Bool)
	return &peer{answer: func(_ int64, r *http.Request) (*http.Response, error) {
		if hung.Load() {
			return after(forever, r)
		}
		return after(d, r)
	}}, hung
}

// A thousand callers of a source that hangs: it holds as many attempts, hedges
// included, as the limit says; all others are told at once, and all are told in
// time.
func TestAHungSourceHoldsWhatTheLimitAllows(t *testing.T) {
	for name, known := range map[string]bool{"without hedges": false, "with hedges": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const callers, most, few = 1000, 32, 5
				p, hung := hangs(10 * time.Millisecond)
				s := of(t, p, source.Config{Limit: source.Limit{Least: most, Most: most}, Breaker: noBreaker, Budget: -1})
				if known {
					warmUp(t, s)
				}
				hung.Store(true)
				before := runtime.NumGoroutine()
				begun := time.Now()
				codes := make(chan map[protocol.Code]int)
				go func() { codes <- all(callers, s) }()
				time.Sleep(200 * time.Millisecond)
				synctest.Wait()
				// Those of the callers that wait, in which the attempts run, and a few of the
				// test's and the runtime's.
				if n := runtime.NumGoroutine() - before; n > most+few {
					t.Errorf("%d goroutines more, for %d places", n, most)
				}
				if n := s.Stats().InFlight; n != most {
					t.Errorf("%d under way, want %d", n, most)
				}
				got := <-codes
				if took := time.Since(begun); took != 400*time.Millisecond {
					t.Errorf("it took %v", took)
				}
				if got[protocol.Unavailable] != callers-most || got[protocol.DeadlineExceeded] != most {
					t.Errorf("%v", got)
				}
				if n := p.most.Load(); n != most {
					t.Errorf("%d attempts at once, want %d", n, most)
				}
				if hedges := s.Stats().Missed.Limit; known != (hedges == most) {
					t.Errorf("%d hedges had no place", hedges)
				}
				synctest.Wait()
				if n := runtime.NumGoroutine(); n > before+few {
					t.Errorf("%d goroutines before, %d afterwards", before, n)
				}
			})
		})
	}
}

func TestHedgesOfAHungSourceTakePlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most, callers = 32, 20
		p, hung := hangs(10 * time.Millisecond)
		s := of(t, p, source.Config{Limit: source.Limit{Least: most, Most: most}, Breaker: noBreaker, Budget: -1})
		warmUp(t, s)
		hung.Store(true)
		if got := all(callers, s); got[protocol.DeadlineExceeded] != callers {
			t.Errorf("%v", got)
		}
		if st := s.Stats(); p.most.Load() != most || st.Hedges != most-callers || st.Missed.Limit != 2*callers-most || st.InFlight != 0 {
			t.Errorf("%d attempts at once: %+v", p.most.Load(), st)
		}
	})
}

// The same with real connections, which outlive the attempts that they were for.
func TestAHungSourceHoldsAsManyConnections(t *testing.T) {
	const callers, most = 1000, 8
	var open, peak, come atomic.Int64
	hung := make(chan struct{})
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		come.Add(1)
		select {
		case <-hung:
		case <-r.Context().Done():
		}
	}))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			peak.Store(max(peak.Load(), open.Add(1)))
		case http.StateClosed, http.StateHijacked:
			open.Add(-1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	s := newSource(t, source.Config{URLs: []string{srv.URL}, Limit: source.Limit{Most: most}, Breaker: noBreaker, Timeout: 200 * time.Millisecond})
	for range 3 {
		got := all(callers, s)
		if got[protocol.Unavailable]+got[protocol.DeadlineExceeded] != callers || got[protocol.DeadlineExceeded] < most {
			t.Errorf("%v", got)
		}
	}
	// A connection that this side has closed may not have been closed by the other
	// yet when the next one comes.
	if n := peak.Load(); n > 2*most {
		t.Errorf("%d connections at once, for %d places", n, most)
	}
	await.Until(t, "all connections to be closed", func() bool { return open.Load() == 0 })
	close(hung)
	await.Until(t, "an answer", func() bool { return s.Do(context.Background(), source.Request{Path: "/x"}) == nil })
	if come.Load() == 0 {
		t.Error("nothing has come")
	}
}

// load has n callers ask again and again for d.
func load(n int, d time.Duration, s *source.Source) {
	var wg sync.WaitGroup
	end := time.Now().Add(d)
	for range n {
		wg.Go(func() {
			for time.Now().Before(end) {
				if get(s) != nil {
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
}

func TestTheLimitOfAHungSourceFallsAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, hung := hangs(50 * time.Millisecond)
		s := of(t, p, source.Config{Limit: source.Limit{Least: 16, Most: 32}, Breaker: noBreaker, Hedge: noHedge})
		if n := s.Stats().Limit; n != 32 {
			t.Errorf("the limit begins at %d", n)
		}
		load(40, 10*time.Second, s)
		if n := s.Stats().Limit; n < 24 {
			t.Errorf("the limit of a good source is %d", n)
		}
		hung.Store(true)
		load(40, time.Minute, s)
		if n := s.Stats().Limit; n != 16 {
			t.Errorf("the limit is %d after a minute, want the least", n)
		}
		hung.Store(false)
		load(40, time.Minute, s)
		if n := s.Stats().Limit; n < 24 {
			t.Errorf("the limit is %d, a minute after the source came back", n)
		}
	})
}

// A source that can do four things at once, and takes longer for each of more.
func TestTheLimitIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		can := make(chan struct{}, 4)
		p := &peer{answer: func(_ int64, r *http.Request) (*http.Response, error) {
			can <- struct{}{}
			defer func() { <-can }()
			return after(10*time.Millisecond, r)
		}}
		s := of(t, p, source.Config{Limit: source.Limit{Least: 4, Most: 64}, Hedge: noHedge, Retry: noRetry})
		load(4, 30*time.Second, s) // what it is like
		load(100, time.Minute, s)
		if n := s.Stats().Limit; n > 32 {
			t.Errorf("the limit is %d", n)
		}
	})
}

// A burst after a quiet time is no overload.
func TestABurstAfterAQuietTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: func(_ int64, r *http.Request) (*http.Response, error) { return after(time.Millisecond, r) }}
		s := of(t, p, source.Config{})
		load(1, time.Minute, s)
		if got := all(16, s); got[0] != 16 {
			t.Errorf("%v: the limit is %d", got, s.Stats().Limit)
		}
	})
}

// Callers with no patience say nothing about the source, though they hold places
// for much longer than answers take.
func TestCallersThatGiveUpLeaveTheLimitAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, hung := hangs(10 * time.Millisecond)
		s := of(t, p, source.Config{Limit: source.Limit{Least: 4, Most: 32}, Timeout: -1, Hedge: noHedge, Breaker: source.Breaker{MinRequests: 1}})
		load(32, 10*time.Second, s)
		limit := s.Stats().Limit
		hung.Store(true)
		for range 60 {
			var wg sync.WaitGroup
			for range limit {
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
					defer cancel()
					if e := protocol.AsError(s.Do(ctx, source.Request{Path: "/x"})); e.Code != protocol.DeadlineExceeded {
						t.Error(e)
					}
				})
			}
			wg.Wait()
		}
		if st := s.Stats(); st.Limit < limit || limit < 16 || st.Breaker != "closed" || st.Failures != 0 || st.Failed != (source.Failed{}) {
			t.Errorf("from %d: %+v", limit, st)
		}
	})
}

func TestTheLimitCanBeSwitchedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answer: func(_ int64, r *http.Request) (*http.Response, error) { return after(time.Millisecond, r) }}
		s := of(t, p, source.Config{Limit: noLimit})
		if got := all(1000, s); got[0] != 1000 || p.most.Load() != 1000 || s.Stats().Limit != 0 {
			t.Errorf("%v, %d at once: %+v", got, p.most.Load(), s.Stats())
		}
	})
}
