package edge_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/admin"
	"warmline.dev/internal/await"
	"warmline.dev/internal/edge"
)

// Something changes all the time while edges ask, come and go: once it is told to one
// edge, that one gives nothing older, another nothing older a moment later, and one
// that takes over what others hold nothing older from its first answer on.
func TestNobodyIsGivenWhatHasChanged(t *testing.T) {
	f := newFilms(t)
	text := f.declaration("1.0.0", "ttl: 10m")
	keys := newKeys(t)
	a, _ := start(t, text, func(cfg *edge.Config) { cfg.Keys, cfg.Bus = keys, "embedded://127.0.0.1:0" })
	joins := func(cfg *edge.Config) {
		cfg.Keys, cfg.Bus, cfg.Peers, cfg.WarmUp = keys, a.Bus(), []string{a.Address()}, 10*time.Second
	}
	b, _ := start(t, text, joins)
	atA, atB := dial(t, a, nil), dial(t, b, nil)
	var ids []string
	for i := range 200 {
		ids = append(ids, fmt.Sprint(i))
	}
	var told atomic.Int64 // the version that edge a was told of last
	oldest := func(list []film) int64 {
		v := int64(1 << 62)
		for _, f := range list {
			v = min(v, f.Version)
		}
		return v
	}
	var taken atomic.Int64 // entries that edges took over at their start
	began := time.Now()
	goesOn := func() bool { // until enough has happened, however busy the machine is
		took := time.Since(began)
		return !t.Failed() && (took < 3*time.Second || took < time.Minute && (taken.Load() < 200 || told.Load() < 20))
	}
	var wg sync.WaitGroup
	again := func(f func()) {
		wg.Go(func() {
			for goesOn() {
				f()
			}
		})
	}
	again(func() {
		v := f.version.Add(1)
		i := warm.Invalidation{Source: "films", All: true} // all have another version
		if _, err := admin.Invalidate(t.Context(), a.Admin(), i); err != nil {
			t.Error(err)
		}
		told.Store(v)
		got, err := ask(t, atA, ids...)
		if err != nil || oldest(got) < v {
			t.Errorf("who was told gives version %d, %v, want %d", oldest(got), err, v)
		}
		await.Until(t, "the other edge to hear", func() bool {
			got, err := ask(t, atB, ids...)
			return err == nil && oldest(got) >= v
		})
		time.Sleep(time.Duration(rand.IntN(50)) * time.Millisecond)
	})
	again(func() { _, _ = ask(t, atA, ids[rand.IntN(100):]...) })
	again(func() {
		least := told.Load()
		c, _ := start(t, text, joins)
		taken.Add(c.Stats().Caches["films.film"].Taken)
		got, err := ask(t, dial(t, c, nil), ids...)
		if err != nil || oldest(got) < least {
			t.Errorf("one that has just started gives version %d, %v, want %d", oldest(got), err, least)
		}
		if err := c.Shutdown(await.Context(t)); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	if taken.Load() < 200 || told.Load() < 20 {
		t.Errorf("only %d entries were taken over, %d changes", taken.Load(), told.Load())
	}
	t.Logf("%d changes, %d entries were taken over", told.Load(), taken.Load())
}
