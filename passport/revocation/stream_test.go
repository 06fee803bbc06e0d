package revocation_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/passport/revocation"
)

// Changes, snapshots and duplicates in any order: nothing that was told is ever
// forgotten, and once everything was told the set is complete.
func TestMessagesInAnyOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for seed := range uint64(200) {
			r := rand.New(rand.NewPCG(seed, 0))
			s, p := newSet(t), newTeller(1)
			at := time.Now().Add(-time.Hour)
			var all []revocation.Entry
			var messages [][]byte
			for n := range 12 {
				e := revocation.Entry{ID: customer(n), At: at.Add(time.Duration(r.IntN(60)) * time.Minute)}
				all = append(all, e)
				messages = append(messages, p.Change(e))
				if r.IntN(4) == 0 || n == 11 {
					messages = append(messages, p.Snapshot(all...)...)
				}
			}
			messages = append(messages, messages...)
			r.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
			for _, m := range messages {
				if err := s.Take(m); err != nil && !errors.Is(err, revocation.ErrOld) {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
			complete(t, s, true)
			for _, e := range all {
				revoked(t, s, e.At, e.ID)
				passes(t, s, e.At.Add(10*time.Second), e.ID)
			}
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	})
}

func TestMissedChangesAreNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newSet(t), newTeller(1)
		at := time.Now()
		e := func(id string) revocation.Entry { return revocation.Entry{ID: id, At: at} }
		complete(t, s, false) // it has heard nothing
		take(t, s, p.Change(e("a")))
		complete(t, s, false) // and not what was before
		revoked(t, s, at, "a")
		take(t, s, p.Snapshot(e("a"))...)
		complete(t, s, true)
		missed := p.Change(e("b"))
		complete(t, s, true) // it can't know
		take(t, s, p.Change(e("c")))
		complete(t, s, false)
		revoked(t, s, at, "a", "c") // what it knows it knows
		passes(t, s, at, "b")
		take(t, s, missed) // late
		complete(t, s, true)
		revoked(t, s, at, "a", "b", "c")

		p.Change(e("d"))
		take(t, s, p.Beat())
		complete(t, s, false)
		old := p.Snapshot(e("a"), e("b"), e("c"), e("d"))
		p.Change(e("f"))
		take(t, s, p.Change(e("g")))
		take(t, s, old...) // it has d, and not f
		complete(t, s, false)
		revoked(t, s, at, "d", "g")
		take(t, s, p.Snapshot(e("a"), e("b"), e("c"), e("d"), e("f"), e("g"))...)
		complete(t, s, true)
		revoked(t, s, at, "f")
	})
}

func TestPartsOfASnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newSet(t), newTeller(1)
		at := time.Now()
		var all []revocation.Entry
		for n := range 2*revocation.MaxEntries + 1 {
			all = append(all, revocation.Entry{ID: customer(n), At: at})
		}
		first, next := p.Snapshot(all...), p.Snapshot(all...)
		take(t, s, first[0], first[2])
		refuses(t, s, revocation.ErrOld, first[2])
		complete(t, s, false)
		take(t, s, next[1]) // parts of two are not put together
		refuses(t, s, revocation.ErrOld, first[1])
		complete(t, s, false)
		if n := s.Stats().Entries; n != len(all) {
			t.Errorf("%d entries: what is known counts", n)
		}
		take(t, s, next[0], next[2])
		complete(t, s, true)
	})
}

// So many changes come without one before them that a set no longer keeps count.
func TestMuchIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newSet(t), newTeller(1)
		at := time.Now()
		first := p.Snapshot()
		take(t, s, first...)
		missed := p.Change(revocation.Entry{ID: "missed", At: at})
		var all []revocation.Entry
		for n := range 1100 {
			e := revocation.Entry{ID: customer(n), At: at}
			all = append(all, e)
			take(t, s, p.Change(e))
		}
		take(t, s, missed)
		refuses(t, s, revocation.ErrOld, first[0])
		complete(t, s, false)
		for _, e := range all {
			revoked(t, s, at, e.ID)
		}
		take(t, s, p.Snapshot(all...)...)
		complete(t, s, true)
	})
}

// The bus says that something may have been missed.
func TestAGapIsOverWhenThePublisherHasSpoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now()
		e := func(id string) revocation.Entry { return revocation.Entry{ID: id, At: at} }
		start := func() (*revocation.Set, *revocation.Teller) {
			s, p := newSet(t), newTeller(1)
			take(t, s, p.Snapshot(e("a"))...)
			complete(t, s, true)
			return s, p
		}
		s, p := start()
		s.Gap()
		complete(t, s, false)
		take(t, s, p.Beat(e("a")))
		complete(t, s, true)

		s, p = start()
		p.Change(e("b"))
		s.Gap()
		take(t, s, p.Beat(e("a"), e("b")))
		complete(t, s, false)
		take(t, s, p.Snapshot(e("a"), e("b"))...)
		complete(t, s, true)

		s, p = start()
		s.Gap()
		take(t, s, p.Snapshot(e("a"))...)
		complete(t, s, true)

		s, p = start()
		p.Change(e("b"))
		late := p.Snapshot(e("a"), e("b")) // tells nothing of what is missed after it
		take(t, s, p.Beat())
		s.Gap()
		take(t, s, late...)
		complete(t, s, false)
		take(t, s, p.Beat())
		complete(t, s, true)

		s, p = start()
		before := p.Snapshot(e("a")) // was on its way
		beat := p.Beat(e("a"))
		take(t, s, p.Beat(e("a")))
		s.Gap()
		refuses(t, s, revocation.ErrOld, before[0])
		refuses(t, s, revocation.ErrOld, beat)
		complete(t, s, false)
	})
}

// A publisher that was replaced holds the same, and none needs its snapshot.
func TestASetThatHoldsTheSameNeedsNoSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now()
		a, b := revocation.Entry{ID: "a", At: at}, revocation.Entry{ID: "b", At: at.Add(-time.Hour)}
		s, p := newSet(t), newTeller(1)
		take(t, s, p.Snapshot(a)...)
		take(t, s, p.Change(b))
		next := newTeller(2)
		next.Seq = 7
		take(t, s, next.Beat(a))
		complete(t, s, false)
		take(t, s, next.Beat(a, revocation.Entry{ID: "b", At: at}))
		complete(t, s, false)
		take(t, s, next.Beat(b, a))
		complete(t, s, true)
		take(t, s, next.Change(revocation.Entry{ID: "c", At: at}))
		complete(t, s, true)
	})
}

// Two publishers at once, each with entries of its own: all count, and what one has
// told is not taken for what the other has.
func TestTwoPublishers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now()
		e := func(id string) revocation.Entry { return revocation.Entry{ID: id, At: at} }
		s, p, q := newSet(t), newTeller(1), newTeller(2)
		take(t, s, p.Snapshot(e("a"), e("b"))...)
		take(t, s, q.Change(e("c")))
		complete(t, s, false)
		take(t, s, q.Snapshot(e("c"))...)
		complete(t, s, true)
		revoked(t, s, at, "a", "b", "c") // a snapshot takes nothing away
		p.Change(e("d"))
		take(t, s, p.Beat())
		complete(t, s, false)
		// p is gone, and what it had told is in what q tells.
		time.Sleep(36 * time.Second)
		complete(t, s, false)
		q.Sent = time.Now()
		take(t, s, q.Beat())
		complete(t, s, true)
		if n := s.Stats().Publishers; n != 1 {
			t.Errorf("%d publishers", n)
		}
	})
}

func TestAPublisherThatFallsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newSet(t), newTeller(1)
		at := time.Now()
		if !s.Stale() {
			t.Error("a set that knows nothing is not stale")
		}
		take(t, s, p.Snapshot(revocation.Entry{ID: "a", At: at})...)
		age := func(want time.Duration) {
			t.Helper()
			if got := s.Age(); got < want-10*time.Millisecond || got > want {
				t.Errorf("age %v, expected %v", got, want)
			}
		}
		age(0)
		time.Sleep(34 * time.Second)
		complete(t, s, true)
		time.Sleep(2 * time.Second)
		complete(t, s, false)
		age(36 * time.Second)
		if s.Stale() {
			t.Error("stale after 36 s")
		}
		time.Sleep(4*time.Minute + 25*time.Second)
		if !s.Stale() {
			t.Errorf("not stale at an age of %v", s.Age())
		}
		revoked(t, s, at, "a") // what it knows it knows
		// Old messages that somebody sends again make it no younger.
		old := newTeller(3)
		old.Sent = at
		if err := s.Take(old.Beat(revocation.Entry{ID: "a", At: at})); err != nil {
			t.Fatal(err)
		}
		complete(t, s, false)
		if !s.Stale() {
			t.Error("an old beat makes it young")
		}
		p.Sent = time.Now()
		take(t, s, p.Beat())
		if s.Stale() || !s.Complete() {
			t.Error("stale after a beat")
		}
		s.Gap() // what it misses since then it does not know
		time.Sleep(time.Minute)
		p.Change(revocation.Entry{ID: "b", At: at})
		p.Sent = time.Now()
		take(t, s, p.Beat())
		age(time.Minute)
		never := newSet(t, func(c *revocation.SetConfig) { c.Stale = -1 })
		if !never.Stale() {
			t.Error("a set that knows nothing is not stale")
		}
		take(t, never, p.Snapshot()...)
		time.Sleep(100 * time.Hour)
		if never.Stale() {
			t.Error("stale though that is off")
		}
	})
}
