package warm

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newCache(t testing.TB, cfg Config) *Cache[int, string] {
	t.Helper()
	c, err := New[int, string](cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestOneLoadHoweverManyAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, Config{})
		loads := 0
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				v, err := c.Get(context.Background(), 1, func(context.Context, int) (string, error) {
					loads++ // the race detector would see two
					time.Sleep(time.Second)
					return "one", nil
				})
				if v != "one" || err != nil {
					t.Errorf("got %q, %v", v, err)
				}
			})
		}
		wg.Wait()
		if loads != 1 {
			t.Errorf("%d loads", loads)
		}
		c.Close()
	})
}

func TestWaiterLeavesAndLoaderThatGaveUpHarmsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, Config{})
		slow := func(ctx context.Context, _ int) (string, error) {
			select {
			case <-time.After(10 * time.Second):
				return "late", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
		var wg sync.WaitGroup
		for _, patience := range []time.Duration{time.Second, 5 * time.Second, time.Minute} {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				start := time.Now()
				v, err := c.Get(ctx, 1, slow)
				if patience == time.Minute {
					if v != "late" || err != nil {
						t.Errorf("the patient one got %q, %v", v, err)
					}
				} else if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != patience {
					t.Errorf("after %v, patience %v: %v", time.Since(start), patience, err)
				}
			})
		}
		wg.Wait()
		c.Close()
	})
}

func TestErrorsAreNotKept(t *testing.T) {
	c := newCache(t, Config{})
	broken := errors.New("broken")
	if _, err := c.Get(t.Context(), 1, func(context.Context, int) (string, error) { return "", broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if v, err := c.Get(t.Context(), 1, func(context.Context, int) (string, error) { return "fine", nil }); v != "fine" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
	if s := c.Stats(); s.Failures != 1 || s.Loads != 2 || s.Misses != 2 {
		t.Errorf("figures: %+v", s)
	}
}

func TestGetAllLoadsOnlyWhatIsMissing(t *testing.T) {
	c := newCache(t, Config{})
	c.Set(1, "one")
	got, err := c.GetAll(t.Context(), []int{1, 2, 3}, func(_ context.Context, keys []int) (map[int]string, error) {
		found := map[int]string{}
		for _, k := range keys {
			if k == 1 {
				t.Error("asked for what was there")
			}
			if k == 2 {
				found[k] = "two"
			}
		}
		return found, nil
	})
	if want := map[int]string{1: "one", 2: "two"}; err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	broken := errors.New("broken")
	if _, err := c.GetAll(t.Context(), []int{1, 9}, func(context.Context, []int) (map[int]string, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestValuesExpireAndDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, Config{TTL: time.Minute})
		n := 0
		load := func(context.Context, int) (string, error) { n++; return "v", nil }
		get := func() {
			if _, err := c.Get(t.Context(), 1, load); err != nil {
				t.Error(err)
			}
		}
		get()
		time.Sleep(50 * time.Second)
		get()
		if n != 1 {
			t.Errorf("%d loads within the TTL", n)
		}
		time.Sleep(20 * time.Second)
		get()
		if n != 2 {
			t.Errorf("%d loads after the TTL", n)
		}
		c.Drop(1)
		get()
		if n != 3 {
			t.Errorf("%d loads after Drop", n)
		}
		c.Close()
	})
}

func TestBadConfig(t *testing.T) {
	for _, cfg := range []Config{{MaxEntries: -1}, {TTL: -1}} {
		if _, err := New[int, int](cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
}

func BenchmarkHit(b *testing.B) {
	c := newCache(b, Config{})
	load := func(context.Context, int) (string, error) { return "v", nil }
	ctx := context.Background()
	if _, err := c.Get(ctx, 1, load); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.Get(ctx, 1, load); err != nil {
				b.Error(err)
			}
		}
	})
}

func TestFreshLoadsWhateverIsHeld(t *testing.T) {
	c := newCache(t, Config{})
	ctx, loads := context.Background(), 0
	load := func(context.Context, int) (string, error) {
		loads++
		return strconv.Itoa(loads), nil
	}
	loadAll := func(_ context.Context, keys []int) (map[int]string, error) {
		loads++
		return map[int]string{keys[0]: strconv.Itoa(loads)}, nil
	}
	fails := func(context.Context, int) (string, error) { return "", errors.New("down") }
	get := func(ctx context.Context, want string) {
		t.Helper()
		if v, err := c.Get(ctx, 1, load); v != want || err != nil {
			t.Errorf("got %q, %v, want %q", v, err, want)
		}
	}
	get(ctx, "1")
	get(ctx, "1")
	get(WithFresh(ctx), "2")
	get(ctx, "2")
	if all, err := c.GetAll(WithFresh(ctx), []int{1}, loadAll); all[1] != "3" || err != nil {
		t.Errorf("got %v, %v", all, err)
	}
	get(ctx, "3")
	if _, err := c.Get(WithFresh(ctx), 1, fails); err == nil {
		t.Error("no error")
	}
	get(ctx, "3") // what is held is better than nothing
}
