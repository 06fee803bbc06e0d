package warm_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"warmline.dev/edgelayer/warm"
)

func giveUp(t *testing.T, c *warm.Cache[string], key string, after time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), after)
	defer cancel()
	if _, err := c.Get(ctx, key); err == nil {
		t.Error("no error")
	}
}

func mustNew(t testing.TB, f *films) *warm.Cache[string] {
	t.Helper()
	c, err := warm.New(warm.Config[string]{Source: "films", Name: "film", Load: f.load, Jitter: -1, Stale: -1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEntriesAreBounded(t *testing.T) {
	inBubble(t, warm.Config[string]{MaxEntries: 100}, func(b *bench) {
		for i := range 1000 {
			b.c.Set(fmt.Sprint(i), "x")
		}
		time.Sleep(2 * time.Second)
		if s := b.c.Stats(); s.Entries > 100 || s.Entries < 90 || s.Evictions < 890 {
			t.Errorf("%+v", s)
		}
	})
}

// The bytes that a cache says it takes are those that the process holds for it.
func TestBytesAreWhatTheProcessHolds(t *testing.T) {
	const most = 16 << 20
	for _, size := range []int{16, 200, 4000, 60_000} {
		before := heap()
		c, err := warm.New(warm.Config[[]byte]{MaxBytes: most, MaxEntries: 1 << 30, Load: func(context.Context, []string) (map[string][]byte, error) { return nil, nil }})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 * most / (2 * (size + 200)) {
			c.Set(fmt.Sprintf("key-%d", i), append([]byte(nil), make([]byte, size)...))
		}
		held := heap() - before
		if s := c.Stats(); held > most*11/10 || held < most*9/10 || s.Bytes > most {
			t.Errorf("values of %d bytes: %d entries take %d bytes, the cache says %d, at most %d", size, s.Entries, held, s.Bytes, most)
		} else {
			t.Logf("values of %d bytes: %d entries take %.2f of the bytes", size, s.Entries, float64(held)/most)
		}
		c.Close()
		runtime.KeepAlive(c)
	}
}

func heap() int64 {
	for range 3 {
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkHit(b *testing.B) {
	c := mustNew(b, newFilms())
	defer c.Close()
	ctx := context.Background()
	if _, err := c.Get(ctx, "1"); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.Get(ctx, "1"); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkHitOf100000(b *testing.B) {
	f := newFilms()
	keys := make([]string, 100_000)
	for i := range keys {
		keys[i] = fmt.Sprint(i)
		f.has[keys[i]] = "x"
	}
	c := mustNew(b, f)
	defer c.Close()
	ctx := context.Background()
	c.Warm(ctx, keys)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		i := 0
		for pb.Next() {
			if _, err := c.Get(ctx, keys[i]); err != nil {
				b.Error(err)
			}
			if i += 17; i >= len(keys) {
				i -= len(keys)
			}
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	c, err := warm.New(warm.Config[string]{Load: func(_ context.Context, keys []string) (map[string]string, error) {
		return map[string]string{keys[0]: "x"}, nil
	}})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	ctx := context.Background()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := c.Get(ctx, fmt.Sprint(i)); err != nil {
			b.Fatal(err)
		}
	}
}
