package revocation_test

import (
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/passport"
	"warmline.dev/passport/revocation"
)

var key = passport.NewKey("2026-11")

func newSet(t testing.TB, change ...func(*revocation.SetConfig)) *revocation.Set {
	t.Helper()
	cfg := revocation.SetConfig{Keys: []passport.Key{key}}
	for _, f := range change {
		f(&cfg)
	}
	s, err := revocation.NewSet(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newTeller(epoch uint64) *revocation.Teller {
	return &revocation.Teller{Key: key, Epoch: epoch, Sent: time.Now()}
}

func take(t testing.TB, s *revocation.Set, messages ...[]byte) {
	t.Helper()
	for i, m := range messages {
		if err := s.Take(m); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
}

func refuses(t testing.TB, s *revocation.Set, want error, m []byte) {
	t.Helper()
	before := s.Stats()
	if err := s.Take(m); !errors.Is(err, want) {
		t.Errorf("%v, expected %v", err, want)
	}
	after := s.Stats()
	after.Old, after.Malformed, after.Forged, after.Age = before.Old, before.Malformed, before.Forged, before.Age
	if before != after {
		t.Errorf("a message was refused and has changed the set:\n%+v\n%+v", before, after)
	}
}

func complete(t testing.TB, s *revocation.Set, want bool) {
	t.Helper()
	if got := s.Complete(); got != want {
		t.Fatalf("complete: %v, expected %v", got, want)
	}
}

// revoked wants cookies of these ids, issued then, to be in question.
func revoked(t testing.TB, s *revocation.Set, issued time.Time, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if !s.Revoked(id, issued) {
			t.Errorf("a cookie of %s of %v passes", id, issued.UTC())
		}
	}
}

func passes(t testing.TB, s *revocation.Set, issued time.Time, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if s.Revoked(id, issued) {
			t.Errorf("a cookie of %s of %v is in question", id, issued.UTC())
		}
	}
}

func TestAnEntryCountsAgainstCookiesIssuedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().Add(-time.Hour).Add(300 * time.Millisecond)
		for name, build := range builds {
			for margin, late := range map[time.Duration]time.Duration{
				0:                       5 * time.Second, // the default
				-1:                      0,
				30 * time.Second:        30 * time.Second,
				1500 * time.Millisecond: 2 * time.Second,
			} {
				s := newSet(t, func(c *revocation.SetConfig) { c.Margin, c.Build = margin, build })
				p := newTeller(1)
				check := func() {
					t.Helper()
					if t.Failed() {
						t.Fatalf("%s, margin %v", name, margin)
					}
					revoked(t, s, at.Add(-7*time.Hour), "paul")
					revoked(t, s, at.Add(-time.Millisecond), "paul")
					revoked(t, s, at.Add(late), "paul")
					passes(t, s, at.Add(late+time.Second), "paul")
					passes(t, s, at.Add(-7*time.Hour), "anna", "")
					revoked(t, s, time.Time{}, "paul") // one that doesn't say
				}
				take(t, s, p.Change(revocation.Entry{ID: "paul", At: at}))
				check()
				take(t, s, p.Snapshot(revocation.Entry{ID: "paul", At: at})...)
				if st := s.Stats(); st.FilterBytes == 0 || st.Entries != 1 {
					t.Fatalf("no filter after a snapshot: %+v", st)
				}
				check()
			}
		}
	})
}

func TestTheLaterOfTwoChangesCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newSet(t), newTeller(1)
		at := time.Now().Add(-time.Hour)
		later := revocation.Entry{ID: "paul", At: at.Add(10 * time.Minute)}
		sooner := revocation.Entry{ID: "paul", At: at}
		take(t, s, p.Snapshot(sooner)...)
		take(t, s, p.Change(later), p.Change(sooner))
		revoked(t, s, at.Add(9*time.Minute), "paul")
		p.Seq++
		take(t, s, p.Snapshot(later)...) // which has the filter built
		take(t, s, p.Change(sooner))
		revoked(t, s, at.Add(9*time.Minute), "paul")
		passes(t, s, at.Add(11*time.Minute), "paul")
		if n := s.Stats().Entries; n != 1 {
			t.Errorf("%d entries", n)
		}
	})
}

func TestEntriesLeaveWhenNoCookieIsTrustedThatLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newSet(t), newTeller(1)
		at := time.Now()
		entry := revocation.Entry{ID: "paul", At: at}
		take(t, s, p.Snapshot(entry)...)
		beat := func() {
			p.Sent = time.Now()
			take(t, s, p.Beat())
		}
		// A gateway with a clock that is ahead has issued it, after the change even.
		time.Sleep(8*time.Hour + 4*time.Second)
		beat()
		revoked(t, s, at.Add(4*time.Second), "paul")
		time.Sleep(2 * time.Minute)
		beat()
		if st := s.Stats(); st.Entries != 0 || st.FilterBytes != 0 {
			t.Errorf("it is still there: %+v", st)
		}
		passes(t, s, at.Add(-time.Hour), "paul")
		take(t, s, p.Change(entry)) // is not taken back in
		if n := s.Stats().Entries; n != 0 {
			t.Errorf("%d entries", n)
		}
	})
}

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

// A publisher's clock that is wrong must neither let a cookie pass nor make the set
// look younger than it is, nor put those in question that come.
func TestAClockThatIsAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newSet(t), newTeller(1)
		now := time.Now()
		p.Sent = now.Add(24 * time.Hour)
		take(t, s, p.Snapshot(revocation.Entry{ID: "a", At: now.Add(24 * time.Hour)})...)
		revoked(t, s, now, "a")
		passes(t, s, now.Add(11*time.Second), "a")
		time.Sleep(time.Minute)
		if s.Complete() || s.Age() < time.Minute {
			t.Errorf("complete: %v, age %v", s.Complete(), s.Age())
		}
	})
}

func TestWhatIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newSet(t), newTeller(1)
		at := time.Now()
		a := revocation.Entry{ID: "a", At: at}
		good := p.Change(a)
		take(t, s, good)
		snap := p.Snapshot(a)
		take(t, s, snap...)
		beat := p.Beat(a)
		take(t, s, beat)
		for _, again := range [][]byte{good, snap[0], beat} {
			refuses(t, s, revocation.ErrOld, again)
		}
		fresh := func() []byte { p.Seq = 5; return p.Change(revocation.Entry{ID: "b", At: at}) }
		for i := range fresh() {
			m := fresh()
			refuses(t, s, one(i < 3, revocation.ErrMalformed, revocation.ErrForged), flip(m, i))
			if err := s.Take(m[:i]); !errors.Is(err, revocation.ErrMalformed) && !errors.Is(err, revocation.ErrForged) {
				t.Errorf("cut off after %d bytes: %v", i, err)
			}
		}
		refuses(t, s, revocation.ErrForged, append(fresh(), 0))
		other := &revocation.Teller{Key: passport.NewKey("2026-11"), Epoch: 1, Seq: 5, Sent: p.Sent}
		refuses(t, s, revocation.ErrForged, other.Change(a)) // another secret of the same name
		other.Key = passport.Key{Name: "other", Secret: key.Secret}
		refuses(t, s, revocation.ErrForged, other.Change(a))
		refuses(t, s, revocation.ErrMalformed, p.Ask())
		refuses(t, s, revocation.ErrMalformed, make([]byte, 1<<20))
		complete(t, s, true)
		passes(t, s, at, "b")
		if st := s.Stats(); st.Old != 3 || st.Forged < 100 || st.Malformed < 8 {
			t.Errorf("%+v", st)
		}
	})
}

func one[T any](first bool, a, b T) T {
	if first {
		return a
	}
	return b
}

func flip(m []byte, i int) []byte {
	m = slices.Clone(m)
	m[i] ^= 0x10
	return m
}

// What is signed and all the same is not what it should be.
func TestSignedNonsenseIsRefused(t *testing.T) {
	s, p := newSet(t), newTeller(1)
	head := strings.Repeat("\x00\x00\x00\x00\x00\x00\x00\x01", 3)
	entry := func(id byte) string { return "\x00\x00\x00\x00\x00\x00\x00" + string([]byte{id}) + "\x7f\x00\x00\x00" }
	for what, m := range map[string]struct {
		kind byte
		body string
	}{
		"no kind":                    {0, head},
		"a kind to come":             {5, head},
		"nothing":                    {1, ""},
		"half a head":                {2, head[:20]},
		"sent in 1970":               {1, head[:16] + "\x00\x00\x00\x00\x00\x00\x00\x00" + entry(1)},
		"sent before 1970":           {1, head[:16] + "\xff\x00\x00\x00\x00\x00\x00\x00" + entry(1)},
		"a change of nothing":        {1, head},
		"a change without a number":  {1, "\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" + entry(1)},
		"half an entry":              {1, head + entry(1) + entry(2)[:7]},
		"unsorted":                   {1, head + entry(2) + entry(1)},
		"twice the same":             {1, head + entry(2) + entry(2)},
		"too many entries":           {1, head + strings.Repeat(entry(2), revocation.MaxEntries+1)},
		"a short beat":               {2, head + "\x00\x00\x00\x00\x00\x00\x00\x01"},
		"a long beat":                {2, head + strings.Repeat("\x00", 41)},
		"a short part":               {3, head + "\x00\x00\x00\x00\x00\x00\x00"},
		"a part of none":             {3, head + "\x00\x00\x00\x00\x00\x00\x00\x00"},
		"a part beyond":              {3, head + "\x00\x00\x00\x01\x00\x01\x00\x01" + entry(1)},
		"a part with too few":        {3, head + "\x00\x00\x00\x02\x00\x00\x00\x01" + entry(1)},
		"a part with too many":       {3, head + "\x00\x00\x00\x01\x00\x00\x00\x01" + entry(1) + entry(2)},
		"a first part that is small": {3, head + "\x00\x00\x13\x89\x00\x00\x00\x02" + entry(1)},
		"too few parts":              {3, head + "\x00\x00\x27\x11\x00\x01\x00\x02" + entry(1)},
		"too many parts":             {3, head + "\x00\x00\x00\x01\x00\x00\x00\x02" + entry(1)},
		"parts beyond bounds":        {3, head + "\x00\xff\xff\xff\xff\xfe\xff\xff" + entry(1)},
		"an ask":                     {4, head},
	} {
		t.Run(what, func(t *testing.T) {
			refuses(t, s, revocation.ErrMalformed, p.Sign(m.kind, []byte(m.body)))
		})
	}
}

// Messages as a program of a few lines of Python writes them, after doc.go.
func TestMessagesByteForByte(t *testing.T) {
	key := passport.Key{Name: "2026-11", Secret: make([]byte, 32)}
	for i := range key.Secret {
		key.Secret[i] = byte(i)
	}
	sent := time.UnixMilli(1790000000123)
	customer := revocation.Entry{ID: "c-1001", At: time.Unix(1790000000, 0)}
	p := &revocation.Teller{Key: key, Epoch: 0x0102030405060708, Sent: sent}
	sentAgain := func() { p.Sent = sent.Add(-time.Millisecond) }
	sentAgain()
	change := p.Change(customer)
	sentAgain()
	part := p.Snapshot(customer)[0]
	sentAgain()
	beat := p.BeatSince(time.Unix(1789971200, 0), customer)
	for what, m := range map[string]struct {
		got  []byte
		want string
	}{
		"change": {change, "5752010107323032362d313101020304050607080000000000000001000001a0c4506c7b03e78892b3d82e566ab13b80" +
			"10d4076e76d90ddd3c2f3f749c65b78cf58d77f70fb42f99c9c3b3603bc464d2"},
		"beat": {beat, "5752010207323032362d313101020304050607080000000000000001000001a0c4506c7b6ab0cb0000000001c8a67820" +
			"39ae88f8270dd671e98548dc1c9742d9dcf851bb598e38c68dc3f84a0aa797660257f98b3e6e47f6d4814d01fcd60c75" +
			"d3a947e8ab7a38c02f4e1617"},
		"part": {part, "5752010307323032362d313101020304050607080000000000000001000001a0c4506c7b000000010000000103e78892" +
			"b3d82e566ab13b8022d02b4615db06f1eadca53135f83c417027333333dcbdfd18f73ef885d9e2fe"},
	} {
		if got := hex.EncodeToString(m.got); got != m.want {
			t.Errorf("%s is\n%s, expected\n%s", what, got, m.want)
		}
	}
}

func TestKeysRotate(t *testing.T) {
	next := passport.NewKey("2026-12")
	s := newSet(t, func(c *revocation.SetConfig) { c.Keys = []passport.Key{key, next} })
	p := newTeller(1)
	take(t, s, p.Snapshot()...)
	p.Key = next
	take(t, s, p.Change(revocation.Entry{ID: "a", At: time.Now()}))
	complete(t, s, true)
}

// A set and a publisher that are in use go through a rotation, and miss nothing.
func TestKeysAreReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next, now := passport.NewKey("2026-12"), time.Now()
		r := newRoom()
		p, g := newPublisher(t, r, nil), newGateway(t, r)
		both := func(keys ...passport.Key) {
			t.Helper()
			if err := g.ReplaceKeys(keys...); err != nil {
				t.Fatal(err)
			}
			if err := p.ReplaceKeys(keys...); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(5 * time.Second)
		for i, keys := range [][]passport.Key{{key}, {key, next}, {next, key}, {next}} {
			both(keys...)
			revoke(t, p, customer(i), now)
			time.Sleep(2 * time.Second)
			complete(t, g.Set, true)
			revoked(t, g.Set, now, customer(i))
		}
		if n := g.Stats().Forged; n != 0 {
			t.Errorf("%d messages were refused", n)
		}
		retired := newTeller(7)
		refuses(t, g.Set, revocation.ErrForged, retired.Change(revocation.Entry{ID: "a", At: now}))
		// Bad keys change nothing.
		if g.ReplaceKeys() == nil || p.ReplaceKeys(passport.Key{Name: "a"}) == nil {
			t.Error("bad keys were taken")
		}
		revoke(t, p, "after", now)
		time.Sleep(2 * time.Second)
		revoked(t, g.Set, now, "after")
		p.Close()
		g.follower.Close()
	})
}

func TestMoreThanFits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(t, func(c *revocation.SetConfig) { c.MaxEntries = 100 })
		p := newTeller(1)
		now := time.Now()
		var all []revocation.Entry
		for n := range 1000 {
			all = append(all, revocation.Entry{ID: customer(n), At: now.Add(time.Duration(n-1000) * 10 * time.Second)})
		}
		take(t, s, p.Snapshot(all...)...)
		if n := s.Stats().Entries; n > 100 || n < 80 {
			t.Errorf("%d entries", n)
		}
		for _, e := range all {
			revoked(t, s, e.At, e.ID) // whether it is held or has left
		}
		revoked(t, s, all[500].At, "who has not changed at all")
		passes(t, s, all[920].At, "who has not changed at all")
		passes(t, s, all[950].At.Add(time.Minute), customer(950))
		p.Seq++
		take(t, s, p.Snapshot(all...)...)
		if st := s.Stats(); st.Entries > 100 || st.Builds != 1 {
			t.Errorf("after the same again: %+v", st)
		}
		take(t, s, p.Change(revocation.Entry{ID: "*", At: now}))
		revoked(t, s, now, "who has not changed at all")
	})
}

func TestAFilterThatCannotBeBuilt(t *testing.T) {
	s := newSet(t, func(c *revocation.SetConfig) {
		c.Build = func([]uint64) (revocation.Filter, error) { return nil, errors.New("no") }
	})
	p := newTeller(1)
	at := time.Now()
	take(t, s, p.Snapshot(revocation.Entry{ID: "a", At: at})...)
	revoked(t, s, at, "a")
	passes(t, s, at, "b")
	if st := s.Stats(); st.BuildsFailed != 1 {
		t.Errorf("%+v", st)
	}
}

func TestSetConfigIsChecked(t *testing.T) {
	for want, cfg := range map[string]revocation.SetConfig{
		"Keys":            {},
		"at least 32":     {Keys: []passport.Key{{Name: "a", Secret: []byte("short")}}},
		"Window":          {Keys: []passport.Key{key}, Window: -1},
		"expected 1s to":  {Keys: []passport.Key{key}, Window: 2000 * time.Hour},
		"at most 1h":      {Keys: []passport.Key{key}, Margin: 2 * time.Hour},
		"100 to 5120000":  {Keys: []passport.Key{key}, MaxEntries: 99},
		"MaxEntries: 512": {Keys: []passport.Key{key}, MaxEntries: 5_120_001},
	} {
		if s, err := revocation.NewSet(cfg); err == nil || s != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// All of 115,000 customers, and none of the others.
func TestASetOfAllIsExact(t *testing.T) {
	s, at := full(t, revocation.BuildFuse)
	st := s.Stats()
	if !st.Complete || st.Entries != ids || st.FilterBytes == 0 || st.FilterBytes > 280_000 {
		t.Fatalf("%+v", st)
	}
	t.Logf("filter %d bytes, in all %d", st.FilterBytes, st.Bytes)
	for n := range ids {
		if !s.Revoked(customer(n), at) {
			t.Fatalf("customer %d passes", n)
		}
	}
	for n := range 300_000 {
		if s.Revoked(customer(ids+157*n), at) {
			t.Fatalf("customer %d is in question", ids+157*n)
		}
	}
}

// full is a set of so many, and a time before all of them.
func full(t testing.TB, build revocation.Build) (*revocation.Set, time.Time) {
	t.Helper()
	s := newSet(t, func(c *revocation.SetConfig) { c.Build = build })
	p := newTeller(1)
	at := time.Now().Add(-time.Hour)
	all := make([]revocation.Entry, ids)
	for n := range all {
		all[n] = revocation.Entry{ID: customer(n), At: at.Add(time.Duration(n) * 30 * time.Millisecond)}
	}
	take(t, s, p.Snapshot(all...)...)
	return s, at
}

// A gateway's check: one of 1,400 customers is in the set, and some changes are
// newer than the filter.
func BenchmarkRevoked(b *testing.B) {
	for name, build := range builds {
		s, at := full(b, build)
		p := newTeller(1)
		for n := range 240 {
			take(b, s, p.Change(revocation.Entry{ID: customer(ids + n), At: time.Now()}))
		}
		customers := make([]string, 1<<12)
		for i := range customers {
			customers[i] = customer(ids + 1000 + 37_000*i)
		}
		for i := range 3 {
			customers[1000*i] = customer(1000 * i)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s.Revoked(customers[i&(1<<12-1)], at)
			}
		})
		b.Run(name+" in the set", func(b *testing.B) {
			list := make([]string, 1<<12)
			for i := range list {
				list[i] = customer(20 * i)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if !s.Revoked(list[i&(1<<12-1)], at) {
					b.Fatal("passes")
				}
			}
		})
	}
}

func BenchmarkTakeChange(b *testing.B) {
	s, _ := full(b, revocation.BuildFuse)
	p := newTeller(1)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		take(b, s, p.Change(revocation.Entry{ID: customer(ids + n), At: time.Now()}))
	}
}
