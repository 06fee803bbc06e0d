package source_test

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/edgelayer/source"
	"warmline.dev/protocol"
)

// farm is a peer at several URLs, http://a, http://b and so on.
type farm struct {
	*peer
	mu  sync.Mutex
	got map[string]int // attempts, by host
	bad map[string]func(*http.Request) (*http.Response, error)
}

func newFarm() *farm {
	f := &farm{got: map[string]int{}, bad: map[string]func(*http.Request) (*http.Response, error){}}
	f.peer = &peer{answer: func(_ int64, r *http.Request) (*http.Response, error) {
		f.mu.Lock()
		f.got[r.URL.Host]++
		bad := f.bad[r.URL.Host]
		f.mu.Unlock()
		if bad != nil {
			return bad(r)
		}
		return after(10*time.Millisecond, r)
	}}
	return f
}

func (f *farm) set(host string, bad func(*http.Request) (*http.Response, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bad[host] = bad
	clear(f.got)
}

func (f *farm) count(host string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.got[host]
}

func gone(*http.Request) (*http.Response, error) { return nil, errRefused }

func TestAttemptsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFarm()
		s := of(t, f.peer, source.Config{URLs: []string{"http://a", "http://b/", "http://c/v1"}, Hedge: noHedge})
		for range 30 {
			if err := get(s); err != nil {
				t.Fatal(err)
			}
		}
		if a, b, c := f.count("a"), f.count("b"), f.count("c"); a != 10 || b != 10 || c != 10 {
			t.Errorf("%d, %d, %d, want ten each", a, b, c)
		}
	})
}

// One of two is bad, for longer than a minute: callers don't notice, and no more
// is asked of it than whether it is well. When it is, it is used again.
func TestOneOfTwoIsBad(t *testing.T) {
	for name, tt := range map[string]struct {
		bad      func(*http.Request) (*http.Response, error)
		attempts int // at most, in 1,000 requests over more than a minute
	}{
		"dead":    {gone, 20},
		"hung":    {takes(forever), 25},
		"broken":  {func(*http.Request) (*http.Response, error) { return reply(503, "", "Retry-After", "9") }, 25},
		"garbage": {func(*http.Request) (*http.Response, error) { return reply(200, "<html>") }, 25},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFarm()
				var log bytes.Buffer
				s := of(t, f.peer, source.Config{URLs: []string{"http://a:x@a", "http://b"}, Log: zerolog.New(&log)})
				warmUp(t, s)
				f.set("a", tt.bad)
				for range 1000 {
					if err := get(s); err != nil {
						t.Fatal(err)
					}
					time.Sleep(60 * time.Millisecond)
				}
				if n := f.count("a"); n > tt.attempts || n < 5 {
					t.Errorf("%d attempts at the bad one", n)
				}
				if st := s.Stats(); st.Resting != 1 || st.Failures != 0 || st.Breaker != "closed" {
					t.Errorf("%+v", st)
				}
				if !strings.Contains(log.String(), "left alone") || strings.Contains(log.String(), "a:x@") {
					t.Errorf("the log says %s", log.String())
				}

				f.set("a", nil)
				time.Sleep(6 * time.Second)
				for range 100 {
					if err := get(s); err != nil {
						t.Fatal(err)
					}
				}
				if n := f.count("a"); n < 45 || s.Stats().Resting != 0 || !strings.Contains(log.String(), "answers again") {
					t.Errorf("well again, it got %d of 100: %+v", n, s.Stats())
				}
			})
		})
	}
}

func TestAllAreDeadAndComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFarm()
		s := of(t, f.peer, source.Config{URLs: []string{"http://a", "http://b"}})
		f.set("a", gone)
		f.set("b", gone)
		for range 5 {
			want(t, get(s), protocol.Unavailable)
		}
		if st := s.Stats(); st.Resting != 2 || st.Breaker != "open" {
			t.Errorf("%+v", st)
		}
		f.set("a", nil)
		f.set("b", nil)
		time.Sleep(5*time.Second + 1)
		for range 10 {
			if err := get(s); err != nil {
				t.Fatal(err)
			}
		}
		if st := s.Stats(); st.Resting != 0 || st.Breaker != "closed" {
			t.Errorf("%+v", st)
		}
	})
}

// While one of two is dead, the other is asked twice.
func TestARetryGoesToTheOneThatIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFarm()
		s := of(t, f.peer, source.Config{URLs: []string{"http://a", "http://b"}})
		f.set("a", gone)
		if err := get(s); err != nil {
			t.Fatal(err)
		}
		failed := false
		f.set("b", func(r *http.Request) (*http.Response, error) {
			if failed = !failed; failed {
				return reply(502, "")
			}
			return after(0, r)
		})
		for range 3 {
			if err := get(s); err != nil {
				t.Error(err)
			}
		}
		if a, b := f.count("a"), f.count("b"); a != 0 || b != 6 {
			t.Errorf("%d and %d attempts", a, b)
		}
	})
}

// What one attempt in a few comes to says nothing of the whole URL.
func TestAFewFailuresAreNoReasonToLeaveAURLAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFarm()
		s := of(t, f.peer, source.Config{URLs: []string{"http://a", "http://b"}, Hedge: noHedge, Budget: -1})
		var n atomic.Int64
		f.set("a", func(r *http.Request) (*http.Response, error) {
			if n.Add(1)%3 != 0 {
				return reply(503, "")
			}
			return after(10*time.Millisecond, r)
		})
		for range 100 {
			if err := get(s); err != nil {
				t.Error(err)
			}
		}
		if a := f.count("a"); a < 40 || s.Stats().Resting != 0 {
			t.Errorf("%d attempts, %+v", a, s.Stats())
		}
	})
}

// The second attempt goes to the other one, also if others have taken their turns
// in between.
func TestARetryGoesToAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFarm()
		s := of(t, f.peer, source.Config{URLs: []string{"http://a", "http://b"}})
		f.set("a", func(r *http.Request) (*http.Response, error) {
			<-time.After(20 * time.Millisecond)
			return reply(503, "")
		})
		first := make(chan error)
		go func() { first <- get(s) }()
		synctest.Wait()
		if err := get(s); err != nil {
			t.Error(err)
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
		if a, b := f.count("a"), f.count("b"); a != 1 || b != 2 {
			t.Errorf("%d and %d attempts, want 1 and 2", a, b)
		}
	})
}

// A hedge that loses has not failed, however often.
func TestHedgesThatLoseAreNoReasonToLeaveAURLAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFarm()
		s := of(t, f.peer, source.Config{URLs: []string{"http://a", "http://b"}})
		warmUp(t, s)
		f.set("a", takes(12*time.Millisecond))
		for range 8 {
			if err := get(s); err != nil {
				t.Error(err)
			}
		}
		if st := s.Stats(); st.Hedges < 5 || st.HedgesWon != 0 || st.Resting != 0 {
			t.Errorf("%+v", st)
		}
	})
}
