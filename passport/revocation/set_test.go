package revocation_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/passport"
	"warmline.dev/passport/revocation"
)

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
