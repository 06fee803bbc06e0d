package warm_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/protocol"
)

func TestOneLoadHoweverManyAsk(t *testing.T) {
	inBubble(t, warm.Config[string]{}, func(b *bench) {
		t := b.t
		b.slow(time.Second)
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() { b.get("1", "one") })
		}
		wg.Wait()
		b.want("1")
		if s := b.c.Stats(); s.Misses != 1000 || s.Loads != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestEachWaiterLeavesWhenItsTimeIsUp(t *testing.T) {
	inBubble(t, warm.Config[string]{}, func(b *bench) {
		t := b.t
		b.slow(10 * time.Second)
		var wg sync.WaitGroup
		for _, patience := range []time.Duration{time.Second, 5 * time.Second, time.Minute} {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				start := time.Now()
				v, err := b.c.Get(ctx, "1")
				if patience == time.Minute {
					if v != "one" || err != nil || time.Since(start) != 10*time.Second {
						t.Errorf("the patient one got %q, %v after %v", v, err, time.Since(start))
					}
				} else if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != patience {
					t.Errorf("after %v, patience %v: %v", time.Since(start), patience, err)
				}
			})
		}
		wg.Wait()
		b.want("1")
	})
}

func TestALoadThatNobodyWaitsForIsGivenUp(t *testing.T) {
	inBubble(t, warm.Config[string]{}, func(b *bench) {
		t := b.t
		b.slow(time.Hour)
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.c.Get(ctx, "1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		b.slow(0)
		b.get("1", "one") // who comes then begins anew
		b.want("1", "1")
		if time.Since(start) != time.Second {
			t.Errorf("%v", time.Since(start))
		}
		if s := b.c.Stats(); s.Failures != 0 {
			t.Errorf("given up is no failure: %+v", s)
		}
	}) // and the bubble ends only if the first load has ended
}

func TestALoadThatPanicsFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := warm.New(warm.Config[string]{Source: "films", Load: func(context.Context, []string) (map[string]string, error) { panic("oh") }})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Get(t.Context(), "1"); protocol.AsError(err).Code != protocol.Internal {
			t.Error(err)
		}
	})
}

func TestLoadsOfAMomentGoOutTogether(t *testing.T) {
	inBubble(t, warm.Config[string]{Batch: 100}, func(b *bench) {
		t := b.t
		for i := range 1000 {
			b.has[fmt.Sprint(i)] = "x"
		}
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() { b.get(fmt.Sprint(i), "x") })
		}
		wg.Wait()
		asked := b.asked()
		for _, keys := range asked {
			if n := len(strings.Split(keys, ",")); n != 100 {
				t.Errorf("a request for %d keys", n)
			}
		}
		if len(asked) != 10 {
			t.Errorf("%d requests", len(asked))
		}
	})
}

func TestWhatIsNotFullGoesOutAfterAMoment(t *testing.T) {
	inBubble(t, warm.Config[string]{Batch: 100, Within: 5 * time.Millisecond}, func(b *bench) {
		t := b.t
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { b.get("1", "one") })
		time.Sleep(4 * time.Millisecond)
		wg.Go(func() { b.get("2", "two") })
		wg.Wait()
		if time.Since(start) != 5*time.Millisecond {
			t.Errorf("after %v", time.Since(start))
		}
		b.want("1,2")
		wantValues(t, values(t, b.c, "1", "2", "3", "9", "3"), map[string]string{"1": "one", "2": "two", "3": "three"})
		b.want("3,9")
	})
	inBubble(t, warm.Config[string]{Batch: 100, Within: -1}, func(b *bench) {
		t := b.t
		start := time.Now()
		wantValues(t, values(t, b.c, "1", "2"), map[string]string{"1": "one", "2": "two"})
		b.get("3", "three")
		b.want("1,2", "3")
		time.Sleep(50 * time.Second)
		b.get("3", "three") // and is refreshed
		b.want("3")
		if time.Since(start) != 50*time.Second {
			t.Errorf("somebody waited: %v", time.Since(start))
		}
	})
}

func TestOnlyOneGroupIsLoadedTogether(t *testing.T) {
	group := func(key string) string { g, _, _ := strings.Cut(key, "/"); return g }
	inBubble(t, warm.Config[string]{Batch: 100, Group: group}, func(b *bench) {
		t := b.t
		for _, k := range []string{"ada/1", "ada/2", "paul/1"} {
			b.has[k] = k
		}
		wantValues(t, values(t, b.c, "ada/1", "paul/1", "ada/2"), map[string]string{"ada/1": "ada/1", "ada/2": "ada/2", "paul/1": "paul/1"})
		b.want("ada/1,ada/2", "paul/1")
	})
}

// One of a batch that is given up does not take the others with it.
func TestOneWhoLeavesABatchHarmsNobody(t *testing.T) {
	inBubble(t, warm.Config[string]{Batch: 2}, func(b *bench) {
		t := b.t
		b.slow(10 * time.Second)
		var wg sync.WaitGroup
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := b.c.Get(ctx, "1"); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
		synctest.Wait()
		wg.Go(func() { b.get("2", "two") })
		wg.Wait()
		b.want("1,2")
	})
}

func TestGetAllSaysOfEachKeyWhatBecameOfIt(t *testing.T) {
	inBubble(t, warm.Config[string]{}, func(b *bench) {
		t := b.t
		b.get("1", "one")
		b.breakDown()
		answers, err := b.c.GetAll(t.Context(), []string{"1", "2"})
		if err != nil || answers[0].Value != "one" || answers[0].Err != nil || !errors.Is(answers[1].Err, errDown) {
			t.Errorf("%v, %v", answers, err)
		}
		b.mend()
		b.slow(time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.c.GetAll(ctx, []string{"1", "2", "3"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestTheTraceGoesAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trace := protocol.NewTraceparent()
		c, err := warm.New(warm.Config[string]{Load: func(ctx context.Context, keys []string) (map[string]string, error) {
			return map[string]string{keys[0]: protocol.Traceparent(ctx)}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if v, err := c.Get(protocol.WithTraceparent(t.Context(), trace), "1"); v != trace || err != nil {
			t.Errorf("%q, %v", v, err)
		}
	})
}

func TestClosedGivesUp(t *testing.T) {
	inBubble(t, warm.Config[string]{Batch: 10, Within: time.Minute}, func(b *bench) {
		t := b.t
		b.slow(time.Hour)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := b.c.Get(t.Context(), "1"); err == nil {
				t.Error("no error")
			}
		})
		synctest.Wait()
		b.c.Close()
		b.c.Close()
		wg.Wait()
	})
}

// A closed cache begins no load, also for those who ask while it is being closed.
func TestClosedBeginsNothing(t *testing.T) {
	for _, cfg := range []warm.Config[string]{{}, {Batch: 10, Within: time.Microsecond}} {
		for range 200 {
			var closed atomic.Bool
			cfg.Source, cfg.Name = "films", "film"
			cfg.Load = func(_ context.Context, keys []string) (map[string]string, error) {
				if closed.Load() {
					t.Error("it was loaded after Close")
				}
				return map[string]string{keys[0]: "a film"}, nil
			}
			c, err := warm.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for n := range 8 {
				wg.Go(func() { _, _ = c.Get(t.Context(), strconv.Itoa(n)) })
			}
			c.Close()
			closed.Store(true)
			if _, err := c.Get(t.Context(), "new"); protocol.AsError(err).Code != protocol.Canceled {
				t.Errorf("%v", err)
			}
			wg.Wait()
		}
	}
}

func TestBadConfig(t *testing.T) {
	load := newFilms().load
	for name, cfg := range map[string]warm.Config[string]{
		"it has no Load":   {},
		"positive numbers": {Load: load, MaxEntries: -1},
		"shares":           {Load: load, Jitter: 1},
	} {
		cfg.Source, cfg.Name = "films", "film"
		if _, err := warm.New(cfg); err == nil || !strings.Contains(err.Error(), "film of films") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := warm.New(warm.Config[int]{MaxBytes: 1, Load: func(context.Context, []string) (map[string]int, error) { return nil, nil }}); err == nil {
		t.Error("bytes without a size were taken")
	}
}
