package warm_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/protocol"
)

func TestInvalidationsDropWhatTheyMean(t *testing.T) {
	keys := []string{"paul/1", "paul/2", "paula/1"}
	for _, tt := range []struct {
		i    warm.Invalidation
		gone []string
	}{
		{warm.Invalidation{Source: "films", Key: "paul/1"}, []string{"paul/1"}},
		{warm.Invalidation{Source: "films", Read: "film", Key: "paul/1"}, []string{"paul/1"}},
		{warm.Invalidation{Source: "films", Prefix: "paul/"}, []string{"paul/1", "paul/2"}},
		{warm.Invalidation{Source: "films", All: true}, keys},
		{warm.Invalidation{Source: "ratings", All: true}, nil},
		{warm.Invalidation{Source: "films", Read: "still", All: true}, nil},
		{warm.Invalidation{Source: "films", Key: "nobody"}, nil},
		{warm.Invalidation{Source: "films", Key: "paul/1", All: true}, nil}, // makes no sense
		{warm.Invalidation{All: true}, nil},
	} {
		inBubble(t, warm.Config[string]{}, func(b *bench) {
			t := b.t
			for _, k := range keys {
				b.has[k] = k
				b.get(k, k)
			}
			b.asked()
			if n := b.c.Invalidate(tt.i); n != len(tt.gone) {
				t.Errorf("%s: %d dropped", tt.i, n)
			}
			for _, k := range keys {
				b.get(k, k)
			}
			b.want(tt.gone...)
		})
	}
}

// What was asked of the source before something changed is given to those who
// asked before, and not kept.
func TestWhatIsDroppedWhileItLoadsIsNotKept(t *testing.T) {
	for name, drop := range map[string]func(b *bench){
		"key":    func(b *bench) { b.c.Drop("1") },
		"prefix": func(b *bench) { b.c.Invalidate(warm.Invalidation{Source: "films", Prefix: "1"}) },
		"all":    func(b *bench) { b.c.DropAll() },
	} {
		inBubble(t, warm.Config[string]{}, func(b *bench) {
			t := b.t
			b.slow(time.Second)
			var wg sync.WaitGroup
			wg.Go(func() { b.get("1", "one") })
			time.Sleep(time.Second - 1)
			drop(b)
			wg.Go(func() { b.get("1", "uno") }) // asked after: a request of its own
			synctest.Wait()
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			b.change("1", "uno")
			wg.Wait()
			b.get("1", "uno")
			if got := b.asked(); len(got) != 2 {
				t.Errorf("%s: %q", name, got)
			}
		})
	}
}

// A load that waits for more keys has asked nothing yet.
func TestWhatIsDroppedBeforeItGoesOutIsAskedOnce(t *testing.T) {
	inBubble(t, warm.Config[string]{Batch: 10, Within: time.Second}, func(b *bench) {
		var wg sync.WaitGroup
		wg.Go(func() { b.get("1", "uno") })
		synctest.Wait()
		b.change("1", "uno")
		b.c.Drop("1")
		wg.Go(func() { b.get("1", "uno") })
		wg.Wait()
		b.get("1", "uno")
		b.want("1")
	})
}

func TestWhatWasGivenUpIsNotKeptEither(t *testing.T) {
	inBubble(t, warm.Config[string]{Batch: 2}, func(b *bench) {
		t := b.t
		b.slow(10 * time.Second)
		var wg sync.WaitGroup
		wg.Go(func() { b.get("2", "two") })
		wg.Go(func() { giveUp(t, b.c, "1", time.Second) })
		time.Sleep(5 * time.Second)
		b.c.Drop("1")
		wg.Wait()
		b.asked()
		b.get("1", "one")
		b.want("1")
	})
}

func TestSetIsNewerThanWhatIsBeingLoaded(t *testing.T) {
	inBubble(t, warm.Config[string]{}, func(b *bench) {
		b.slow(time.Second)
		var wg sync.WaitGroup
		wg.Go(func() { b.get("1", "one") })
		synctest.Wait()
		b.c.Set("1", "uno")
		b.get("1", "uno")
		wg.Wait()
		b.get("1", "uno")
		b.want("1")
	})
}

func TestParseInvalidation(t *testing.T) {
	for text, want := range map[string]string{
		`{"source":"catalogue","key":"17"}`:                     `"17" of catalogue`,
		`{"source":"ratings","read":"rating","prefix":"paul/"}`: `"paul/"* of ratings.rating`,
		`{"source":"catalogue","all":true}`:                     "all of catalogue",
		`{}`:                                                    "",
		`{"source":"catalogue"}`:                                "",
		`{"source":"catalogue","key":"17","all":true}`:          "",
		`{"key":"17"}`:                                          "",
		`17`:                                                    "",
		`{"source":"catalogue","key":"` + strings.Repeat("x", 4096): "",
	} {
		i, err := warm.ParseInvalidation([]byte(text))
		if want == "" {
			if err == nil {
				t.Errorf("%.40s was taken", text)
			}
		} else if err != nil || i.String() != want {
			t.Errorf("%s: %v, %v", text, i, err)
		}
	}
}

func FuzzParseInvalidation(f *testing.F) {
	f.Add([]byte(`{"source":"catalogue","key":"17"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if i, err := warm.ParseInvalidation(text); err == nil && i.Check() != nil {
			t.Errorf("%q was taken", text)
		}
	})
}

func TestHandover(t *testing.T) {
	inBubble(t, warm.Config[string]{Stale: -1}, func(b *bench) {
		t := b.t
		other := &bench{t: t, films: newFilms()}
		other.c = mustNew(t, other.films)
		defer other.c.Close()
		for range 5 {
			b.get("2", "two")
		}
		b.get("1", "one")
		b.fails("9", protocol.NotFound)
		time.Sleep(30 * time.Second)
		hottest := b.c.Hottest(1 << 20)
		if len(hottest) != 2 || hottest[0].Age != 30*time.Second {
			t.Fatalf("%+v", hottest)
		}
		if few := b.c.Hottest(b.c.Stats().Bytes / 2); len(few) != 1 {
			t.Errorf("%+v", few)
		}
		for _, e := range hottest {
			if !other.c.Take(e, time.Now()) {
				t.Errorf("%+v was not taken", e)
			}
			if other.c.Take(e, time.Now()) {
				t.Errorf("%+v was taken twice", e)
			}
		}
		other.get("1", "one")
		other.get("2", "two")
		other.want()
		other.change("1", "uno")
		time.Sleep(31 * time.Second) // its age goes on
		other.get("1", "uno")
		other.want("1")
		if s := other.c.Stats(); s.Taken != 2 {
			t.Errorf("%+v", s)
		}
	})
}

// An invalidation that has come already counts for what comes from another edge,
// which may not have heard of it.
func TestWhatIsHandedOverMayHaveBeenDropped(t *testing.T) {
	inBubble(t, warm.Config[string]{}, func(b *bench) {
		t := b.t
		time.Sleep(time.Hour)
		old := warm.Entry[string]{Key: "1", Value: "one", Age: 10 * time.Second}
		b.c.Drop("1")
		if b.c.Take(old, time.Now()) {
			t.Error("an entry from before it was dropped was taken")
		}
		time.Sleep(10*time.Second + 1)
		if !b.c.Take(old, time.Now()) {
			t.Error("one from after it was not")
		}
		asked := time.Now()
		time.Sleep(time.Millisecond)
		b.c.DropAll()
		if b.c.Take(old, asked) {
			t.Error("one that another edge held before was taken: it may have dropped it since")
		}
		if b.c.Take(old, time.Now()) {
			t.Error("one that another edge held in the same moment was taken: it may have dropped it then")
		}
		time.Sleep(time.Millisecond)
		if !b.c.Take(old, time.Now()) {
			t.Error("one that another edge vouches for was not")
		}
		b.c.Invalidate(warm.Invalidation{Source: "films", All: true})
		for range 2000 { // more than are kept
			b.c.Drop("x")
		}
		if b.c.Take(old, time.Now()) {
			t.Error("an entry from before all was dropped was taken")
		}
		if b.c.Take(warm.Entry[string]{Key: "2", Value: "two", Age: time.Minute}, time.Now()) {
			t.Error("a stale one was taken")
		}
	})
}

func TestWarmLoadsKeys(t *testing.T) {
	inBubble(t, warm.Config[string]{Batch: 2}, func(b *bench) {
		t := b.t
		b.get("1", "one")
		if n := b.c.Warm(t.Context(), []string{"1", "2", "3", "9"}); n != 3 {
			t.Errorf("%d are there", n)
		}
		b.get("3", "three")
		b.want("1", "2,3", "9")
	})
}
