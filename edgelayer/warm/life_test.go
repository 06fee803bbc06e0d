package warm_test

import (
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/protocol"
)

func TestServedFromMemoryWithinTheTTL(t *testing.T) {
	inBubble(t, warm.Config[string]{RefreshAhead: -1, Stale: -1}, func(b *bench) {
		b.get("1", "one")
		b.want("1")
		b.change("1", "uno")
		time.Sleep(59 * time.Second)
		b.get("1", "one")
		b.want()
		time.Sleep(time.Second)
		b.get("1", "uno")
		b.want("1")
	})
}

func TestWhatIsAskedForIsRefreshedAhead(t *testing.T) {
	inBubble(t, warm.Config[string]{Stale: -1}, func(b *bench) {
		t := b.t
		b.get("1", "one")
		b.get("2", "two")
		b.want("1", "2")
		b.change("1", "uno")
		time.Sleep(47 * time.Second)
		b.get("1", "one")
		b.want() // not yet
		time.Sleep(2 * time.Second)
		b.slow(time.Second)
		for range 100 {
			b.get("1", "one") // at once, and one request goes out
		}
		b.want("1")
		time.Sleep(2 * time.Second)
		b.get("1", "uno")
		time.Sleep(40 * time.Second)
		b.get("1", "uno") // of what was asked for, nobody ever waited
		b.want()
		start := time.Now()
		b.get("2", "two") // of what was not, somebody does
		b.want("2")
		if time.Since(start) != time.Second {
			t.Errorf("it took %v", time.Since(start))
		}
	})
}

func TestStaleWhileRevalidate(t *testing.T) {
	inBubble(t, warm.Config[string]{Stale: 30 * time.Second}, func(b *bench) {
		t := b.t
		b.get("1", "one")
		b.change("1", "uno")
		b.slow(time.Second)
		time.Sleep(80 * time.Second)
		start := time.Now()
		b.get("1", "one")
		if time.Since(start) != 0 {
			t.Error("it waited for the source")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		b.get("1", "uno")
		b.want("1", "1")
		if s := b.c.Stats(); s.Stale != 1 || s.Refreshes != 1 {
			t.Errorf("%+v", s)
		}
		time.Sleep(91 * time.Second)
		b.change("1", "eins")
		b.get("1", "eins") // beyond that it is waited for
	})
}

func TestStaleIfError(t *testing.T) {
	inBubble(t, warm.Config[string]{Stale: -1, StaleIfError: 10 * time.Minute}, func(b *bench) {
		t := b.t
		b.get("1", "one")
		b.change("1", "uno")
		b.breakDown()
		b.slow(400 * time.Millisecond)
		time.Sleep(5 * time.Minute)
		b.asked()
		start := time.Now()
		b.get("1", "one")
		if time.Since(start) != 400*time.Millisecond {
			t.Errorf("the source is tried first: %v", time.Since(start))
		}
		start = time.Now()
		for range 10 {
			b.get("1", "one")
		}
		if time.Since(start) != 0 {
			t.Error("with the source down, not everybody waits for it")
		}
		b.want("1")
		b.fails("9", protocol.Unavailable) // of which there is none
		time.Sleep(2 * time.Second)
		b.mend()
		b.get("1", "uno")
		b.breakDown()
		time.Sleep(11*time.Minute + time.Second)
		b.fails("1", protocol.Unavailable) // too old, now
	})
}

func TestStaleIfErrorCanBeSwitchedOff(t *testing.T) {
	inBubble(t, warm.Config[string]{Stale: -1, StaleIfError: -1}, func(b *bench) {
		b.get("1", "one")
		b.breakDown()
		time.Sleep(61 * time.Second)
		b.fails("1", protocol.Unavailable)
	})
}

// A source that fails is not asked again for each that asks for what is still there.
func TestARefreshThatFailsIsPutOff(t *testing.T) {
	inBubble(t, warm.Config[string]{}, func(b *bench) {
		b.get("1", "one")
		b.breakDown()
		time.Sleep(50 * time.Second)
		b.asked()
		for range 30 { // three seconds
			for range 100 {
				b.get("1", "one")
			}
			time.Sleep(100 * time.Millisecond)
		}
		b.want("1", "1", "1")
	})
}

func TestMissingIsKeptForATimeOfItsOwn(t *testing.T) {
	inBubble(t, warm.Config[string]{Missing: 5 * time.Second}, func(b *bench) {
		t := b.t
		if e := b.fails("9", protocol.NotFound); e.Message != `source films: no film "9"` {
			t.Errorf("%v", e)
		}
		b.fails("9", protocol.NotFound)
		b.want("9")
		b.change("9", "nine")
		time.Sleep(5 * time.Second)
		b.get("9", "nine")
		b.want("9")
	})
	inBubble(t, warm.Config[string]{Missing: -1}, func(b *bench) {
		b.fails("9", protocol.NotFound)
		b.fails("9", protocol.NotFound)
		b.want("9", "9")
	})
}

// A value that is gone at the source is not served on as a stale one.
func TestWhatIsGoneIsGone(t *testing.T) {
	inBubble(t, warm.Config[string]{}, func(b *bench) {
		b.get("1", "one")
		b.set(func() { delete(b.has, "1") })
		time.Sleep(50 * time.Second)
		b.get("1", "one") // and it is loaded anew
		b.want("1", "1")
		b.fails("1", protocol.NotFound)
	})
}

func TestTheSourcesOwnWordsForMissing(t *testing.T) {
	inBubble(t, warm.Config[string]{}, func(b *bench) {
		t := b.t
		b.set(func() { b.broken = protocol.Errorf(protocol.NotFound, "source films: nobody knows it") })
		for range 2 {
			if e := b.fails("1", protocol.NotFound); e.Message != "source films: nobody knows it" {
				t.Errorf("%v", e)
			}
		}
		b.want("1")
		b.set(func() { b.broken = protocol.Errorf(protocol.InvalidArgument, "source films: not a number") })
		b.fails("x", protocol.InvalidArgument)
		b.fails("x", protocol.InvalidArgument)
		b.want("x", "x")
		if s := b.c.Stats(); s.Failures != 0 || s.Loads != 3 {
			t.Errorf("what says no is no failure: %+v", s)
		}
	})
}

func TestErrorsAreNotKept(t *testing.T) {
	inBubble(t, warm.Config[string]{}, func(b *bench) {
		t := b.t
		b.breakDown()
		b.fails("1", protocol.Unavailable)
		b.mend()
		b.get("1", "one")
		if s := b.c.Stats(); s.Failures != 1 || s.Loads != 2 || s.Misses != 2 || s.Hits != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestFallbackIsTheLastResort(t *testing.T) {
	static := func(key string) (string, bool) { return "some film", key != "3" }
	inBubble(t, warm.Config[string]{Stale: -1, StaleIfError: time.Minute, Fallback: static}, func(b *bench) {
		t := b.t
		b.get("1", "one")
		b.breakDown()
		b.get("2", "some film")
		b.fails("3", protocol.Unavailable)
		time.Sleep(90 * time.Second)
		b.get("1", "one") // the stale one comes first
		time.Sleep(time.Minute)
		b.get("1", "some film")
		if _, err := b.c.Get(warm.WithFresh(t.Context()), "1"); err == nil {
			t.Error("who asks for it fresh gets what is static")
		}
		b.mend()
		b.get("2", "two") // it was not kept
		b.fails("9", protocol.NotFound)
		if s := b.c.Stats(); s.Fallbacks != 2 {
			t.Errorf("%+v", s)
		}
	})
}

func TestJitterSpreadsReloads(t *testing.T) {
	inBubble(t, warm.Config[string]{Jitter: 0.5, RefreshAhead: -1, Stale: -1, Missing: time.Hour}, func(b *bench) {
		t := b.t
		keys := make([]string, 200)
		for i := range keys {
			keys[i] = string(rune('a'+i%26)) + string(rune('a'+i/26))
			b.has[keys[i]] = "x"
			b.get(keys[i], "x")
		}
		b.asked()
		reloads := func() int {
			for _, k := range keys {
				b.get(k, "x")
			}
			return len(b.asked())
		}
		time.Sleep(29 * time.Second)
		if n := reloads(); n != 0 {
			t.Errorf("%d were loaded again before half the TTL", n)
		}
		time.Sleep(16 * time.Second)
		if n := reloads(); n < 50 || n > 150 {
			t.Errorf("%d of 200 were loaded again after three quarters of the TTL, want about half", n)
		}
	})
}

func TestFreshLoadsWhateverIsHeld(t *testing.T) {
	inBubble(t, warm.Config[string]{}, func(b *bench) {
		t := b.t
		fresh := warm.WithFresh(t.Context())
		b.get("1", "one")
		b.change("1", "uno")
		b.get("1", "one")
		if v, err := b.c.Get(fresh, "1"); v != "uno" || err != nil {
			t.Errorf("%q, %v", v, err)
		}
		b.get("1", "uno")
		b.change("1", "eins")
		if all, err := b.c.GetAll(fresh, []string{"1"}); all[0].Value != "eins" || err != nil {
			t.Errorf("%v, %v", all, err)
		}
		b.get("1", "eins")
		b.breakDown()
		if _, err := b.c.Get(fresh, "1"); err == nil {
			t.Error("no error")
		}
		b.get("1", "eins") // what is held is better than nothing
		b.mend()

		// Who asks for it fresh does not take what was asked for before.
		b.slow(time.Second)
		go func() { _, _ = b.c.Get(fresh, "1") }()
		time.Sleep(500 * time.Millisecond)
		b.asked()
		start := time.Now()
		if _, err := b.c.Get(fresh, "1"); err != nil || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		b.want("1")
	})
}

// A source that takes longer than the TTL is not asked by all of those who come
// while it takes.
func TestASlowSourceIsNotAskedForWhatHasJustCome(t *testing.T) {
	inBubble(t, warm.Config[string]{TTL: time.Second, RefreshAhead: -1, Stale: -1}, func(b *bench) {
		b.slow(5 * time.Second)
		b.get("1", "one")
		b.get("1", "one")
		b.want("1")
		time.Sleep(time.Second)
		b.get("1", "one")
		b.want("1")
	})
}
