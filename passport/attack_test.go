package passport_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tinylib/msgp/msgp"

	"warmline.dev/passport"
)

// An adapter needs no key to repeat what a service has changed, nor to write the same
// bytes in another way.
func TestAChangeCountsOnce(t *testing.T) {
	r, sealed := newKeyring(t, goldenKey), unhex(t, goldenSealed)
	one := change(t, r, sealed, "a", func(p *passport.Passport) { p.Plan = "basic" })
	link := one[len(sealed):]
	name, rest, err := msgp.ReadStringBytes(link[1:])
	if err != nil {
		t.Fatal(err)
	}
	otherwise := append(append([]byte{link[0], 0xD9, byte(len(name))}, name...), rest...) // a longer header of the name
	for what, repeated := range map[string][]byte{"the same": slices.Concat(one, link), "written otherwise": slices.Concat(one, otherwise)} {
		if _, err := r.Open(repeated, golden.Issued); !errors.Is(err, passport.ErrMalformed) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := passport.PeekHistory(repeated); !errors.Is(err, passport.ErrMalformed) {
			t.Errorf("%s, of an adapter: %v", what, err)
		}
	}
	m, err := passport.Merge(slices.Concat(sealed, otherwise), one)
	if err != nil {
		t.Fatal(err)
	}
	if h := history(t, r, m); len(h.Changes) != 1 || len(h.Conflicts) != 0 {
		t.Errorf("merged: %+v", h)
	}
}

// A service that has seen all changes knows all of them, whichever stands last.
func TestWhoHasSeenAMergeKnowsAllOfIt(t *testing.T) {
	r, sealed := newKeyring(t, goldenKey), unhex(t, goldenSealed)
	out := change(t, r, sealed, "accounts", func(p *passport.Passport) { p.Level, p.Plan = passport.Anonymous, "none" })
	moved := change(t, r, sealed, "profiles", func(p *passport.Passport) { p.Country = "SE" })
	for what, of := range map[string][2][]byte{"signed out last": {moved, out}, "signed out first": {out, moved}} {
		m, err := passport.Merge(of[0], of[1])
		if err != nil {
			t.Fatal(err)
		}
		again := change(t, r, m, "accounts", func(p *passport.Passport) { p.Level, p.Plan = passport.Authenticated, "premium" })
		if h := history(t, r, again); h.Now.Level != passport.Authenticated || h.Now.Plan != "premium" || len(h.Conflicts) > 0 {
			t.Errorf("%s: %v, %s, %+v", what, h.Now.Level, h.Now.Plan, h.Conflicts)
		}
		// None of what it knew can be left out, so that it counts alone.
		for _, one := range of {
			if _, err := r.Open(slices.Concat(one, again[len(m):]), golden.Issued); !errors.Is(err, passport.ErrForged) {
				t.Errorf("%s: without one of them: %v", what, err)
			}
		}
	}
}

// Whatever the order in which changes and their merges come, all who look find the same.
func TestAllWhoLookFindTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	r := newKeyring(t, goldenKey)
	for range 300 {
		versions := [][]byte{unhex(t, goldenSealed)}
		for i := range 8 {
			from := versions[random.IntN(len(versions))]
			if other := versions[random.IntN(len(versions))]; random.IntN(2) == 0 {
				m, err := passport.Merge(from, other)
				if err != nil {
					t.Fatal(err)
				}
				from = m
			}
			at := golden.Issued.Add(time.Duration(random.IntN(3)) * time.Second)
			versions = append(versions, changeAt(t, r, from, fmt.Sprint("s", i), at, func(p *passport.Passport) {
				p.Plan, p.Level = fmt.Sprint("plan", random.IntN(3)), passport.Level(random.IntN(3))
				p.SetField(fmt.Sprint("preferences.p", random.IntN(2)), fmt.Sprint(i))
			}))
		}
		var found passport.History
		for i := range 6 {
			random.Shuffle(len(versions), func(i, j int) { versions[i], versions[j] = versions[j], versions[i] })
			m := versions[0]
			for _, v := range versions[1:] {
				var err error
				if m, err = passport.Merge(m, v); err != nil {
					t.Fatal(err)
				}
			}
			h := history(t, r, m)
			if i == 0 {
				found = h
				if want := lowest(h); h.Now.Level != want {
					t.Fatalf("%v, want %v: %+v", h.Now.Level, want, h.Changes)
				}
				continue
			}
			if d := cmp.Diff(found.Now, h.Now); d != "" || len(found.Conflicts) != len(h.Conflicts) || len(found.Changes) != len(h.Changes) {
				t.Fatal(d, found.Conflicts, h.Conflicts)
			}
			for j, c := range h.Conflicts {
				was := found.Conflicts[j]
				if was.Field != c.Field || found.Changes[was.Kept].By != h.Changes[c.Kept].By || found.Changes[was.Lost].By != h.Changes[c.Lost].By {
					t.Fatal("other conflicts")
				}
			}
		}
	}
}

// lowest is the level that counts: the lowest that was set by a change of which no other
// one that set it knew.
func lowest(h passport.History) passport.Level {
	knows := make([]map[int]bool, len(h.Changes))
	known := map[int]bool{}
	for i, c := range h.Changes {
		knows[i] = map[int]bool{}
		for _, j := range c.Follows {
			knows[i][j] = true
			maps.Copy(knows[i], knows[j])
		}
		if c.Set["level"] != "" {
			maps.Copy(known, knows[i])
		}
	}
	level, found := h.Minted.Level, false
	for i, c := range h.Changes {
		for l := range passport.Authenticated + 1 {
			if c.Set["level"] == l.String() && !known[i] && (!found || l < level) {
				level, found = l, true
			}
		}
	}
	return level
}

// What a service changes is what it finds, whatever was merged before.
func TestWhatAServiceChangesCounts(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	r := newKeyring(t, goldenKey)
	for range 300 {
		versions := [][]byte{unhex(t, goldenSealed)}
		for i := range 8 {
			m, err := passport.Merge(versions[random.IntN(len(versions))], versions[random.IntN(len(versions))])
			if err != nil {
				t.Fatal(err)
			}
			plan, level := fmt.Sprint("plan", i), passport.Level(random.IntN(3))
			c, err := r.Change(m, fmt.Sprint("s", i), golden.Issued, func(p *passport.Passport) { p.Plan, p.Level = plan, level })
			if err != nil {
				t.Fatal(err)
			}
			if c.Passport.Plan != plan || c.Passport.Level != level {
				t.Fatalf("%s, %v; want %s, %v", c.Passport.Plan, c.Passport.Level, plan, level)
			}
			versions = append(versions, c.Sealed)
		}
	}
}
