package passport_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/passport"
)

// change is a sealed passport with one change more, a second later for each.
func change(t testing.TB, r *passport.Keyring, sealed []byte, by string, f func(p *passport.Passport)) []byte {
	t.Helper()
	return changeAt(t, r, sealed, by, golden.Issued.Add(time.Second), f)
}

func changeAt(t testing.TB, r *passport.Keyring, sealed []byte, by string, at time.Time, f func(p *passport.Passport)) []byte {
	t.Helper()
	c, err := r.Change(sealed, by, at, f)
	if err != nil {
		t.Fatal(err)
	}
	return c.Sealed
}

func history(t testing.TB, r *passport.Keyring, sealed []byte) passport.History {
	t.Helper()
	h, err := r.History(sealed, golden.Issued.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestWhoChangedWhat(t *testing.T) {
	older, newer := passport.NewKey("older"), passport.NewKey("newer")
	gateway, members, profiles := newKeyring(t, older, newer), newKeyring(t, newer, older), newKeyring(t, older, newer) // in the midst of a rotation
	p := golden
	p.Preferences, p.References = map[string]string{"language": "de", "theme": "dark"}, map[string]passport.Reference{"home": {1}}
	sealed, err := gateway.Seal(p)
	if err != nil {
		t.Fatal(err)
	}
	at := golden.Issued.Add(time.Second)
	one := changeAt(t, members, sealed, "members@1.2.0", at, func(p *passport.Passport) { p.Plan, p.Level = "basic", passport.Recognised })
	two := changeAt(t, profiles, one, "profiles@1.0.0", at.Add(-time.Second), func(p *passport.Passport) { // its clock is behind
		p.Profile, p.Plan = "kids", "free"
		p.SetField("preferences.language", "sv")
		p.SetField("preferences.home", "short")
		delete(p.Preferences, "theme")
		p.Origin, p.Audience, p.Expires = "mallory", "elsewhere", p.Expires.Add(time.Hour) // not a service's to change
	})
	now := golden
	now.Plan, now.Profile, now.Level, now.Origin, now.Preferences = "free", "kids", passport.Recognised, "profiles@1.0.0", map[string]string{"language": "sv", "home": "short"}
	now.References = map[string]passport.Reference{}
	want := passport.History{
		Minted: p,
		Changes: []passport.Change{
			{By: "members@1.2.0", At: at, Set: map[string]string{"plan": "basic", "level": "recognised"}},
			{By: "profiles@1.0.0", At: at.Add(time.Microsecond), Set: map[string]string{"profile": "kids", "plan": "free", "preferences.language": "sv", "preferences.home": "short", "preferences.theme": ""}, Follows: []int{0}},
		},
		Now: now,
	}
	if d := cmp.Diff(want, history(t, gateway, two)); d != "" {
		t.Error(d)
	}
	if h, err := passport.PeekHistory(two); err != nil || cmp.Diff(want, h) != "" {
		t.Errorf("an adapter reads something else: %v", err)
	}
	if got, err := gateway.Open(two, golden.Issued); err != nil || !got.Equal(&now) {
		t.Errorf("%+v, %v", got, err)
	}
	if !bytes.HasPrefix(two, one) || !bytes.HasPrefix(one, sealed) {
		t.Error("a change has touched what was there")
	}
}

func TestAChangeThatChangesNothingIsNone(t *testing.T) {
	r, sealed := newKeyring(t, goldenKey), unhex(t, goldenSealed)
	c, err := r.Change(sealed, "members@1.2.0", golden.Issued, func(p *passport.Passport) { p.Plan = golden.Plan })
	if err != nil || !bytes.Equal(c.Sealed, sealed) || len(c.Fields) > 0 || !c.Passport.Equal(&golden) {
		t.Errorf("%+v, %v", c, err)
	}
}

// What one call was given is not what another one makes of it.
func TestAChangeIsOfACopy(t *testing.T) {
	r := newKeyring(t, goldenKey)
	p := golden
	p.Preferences = map[string]string{"language": "de"}
	sealed, err := r.Seal(p)
	if err != nil {
		t.Fatal(err)
	}
	before, err := r.Open(sealed, golden.Issued)
	if err != nil {
		t.Fatal(err)
	}
	change(t, r, sealed, "x", func(p *passport.Passport) { p.SetField("preferences.language", "sv") })
	if again, err := r.Open(sealed, golden.Issued); err != nil || before.Preferences["language"] != "de" || again.Preferences["language"] != "de" {
		t.Errorf("%v, %v, %v", before.Preferences, again.Preferences, err)
	}
}

func TestParallelChangesAreMerged(t *testing.T) {
	r, sealed := newKeyring(t, goldenKey), unhex(t, goldenSealed)
	at := golden.Issued.Add(time.Second)
	first := changeAt(t, r, sealed, "a", at, func(p *passport.Passport) { p.Plan, p.Country = "basic", "SE" })
	second := changeAt(t, r, sealed, "b", at.Add(time.Second), func(p *passport.Passport) { p.Plan, p.Profile, p.Device = "free", "kids", "phone" })
	again := changeAt(t, r, second, "c", at.Add(2*time.Second), func(p *passport.Passport) { p.Device = "console" }) // knew of b
	both := func(a, b []byte) []byte {
		t.Helper()
		m, err := passport.Merge(a, b)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for what, sealed := range map[string][]byte{
		"one way": both(first, again), "the other": both(again, first), "in steps": both(both(first, second), again),
		"twice": both(both(first, again), both(again, first)),
	} {
		h := history(t, r, sealed)
		if p := h.Now; p.Plan != "free" || p.Country != "SE" || p.Profile != "kids" || p.Device != "console" || p.Origin != "c" || len(h.Changes) != 3 {
			t.Errorf("%s: %+v", what, h)
		}
		if len(h.Conflicts) != 1 || h.Conflicts[0].Field != "plan" || h.Changes[h.Conflicts[0].Kept].By != "b" || h.Changes[h.Conflicts[0].Lost].By != "a" {
			t.Errorf("%s: %+v", what, h.Conflicts)
		}
	}
	// Who has seen both decides.
	settled := change(t, r, both(first, again), "d", func(p *passport.Passport) { p.Plan = "premium plus" })
	if h := history(t, r, settled); h.Now.Plan != "premium plus" || h.Now.Origin != "d" {
		t.Errorf("%+v", h)
	}
}

// A signing out holds, whatever another call does at the same time or later without
// knowing of it.
func TestTheLowerLevelCounts(t *testing.T) {
	r, sealed := newKeyring(t, goldenKey), unhex(t, goldenSealed)
	low := changeAt(t, r, sealed, "low", golden.Issued, func(p *passport.Passport) { p.Level = passport.Recognised })
	out := changeAt(t, r, low, "out", golden.Issued, func(p *passport.Passport) { p.Level, p.Customer = passport.Anonymous, "" })
	up := changeAt(t, r, low, "up", golden.Issued.Add(time.Hour/12), func(p *passport.Passport) { p.Level = passport.Authenticated })
	m, err := passport.Merge(up, out)
	if err != nil {
		t.Fatal(err)
	}
	if h := history(t, r, m); h.Now.Level != passport.Anonymous || h.Now.Customer != "" || len(h.Conflicts) != 1 || h.Changes[h.Conflicts[0].Kept].By != "out" {
		t.Errorf("%+v", h)
	}
	// Whoever knew of it can sign in again.
	in := change(t, r, m, "in", func(p *passport.Passport) { p.Level = passport.Authenticated })
	if h := history(t, r, in); h.Now.Level != passport.Authenticated {
		t.Errorf("%+v", h)
	}
}

// Of two that sign out at the same time, who knew of the one alone can't undo the other.
func TestASigningOutHoldsBesideAnother(t *testing.T) {
	r, sealed := newKeyring(t, goldenKey), unhex(t, goldenSealed)
	at := golden.Issued
	signOut := func(p *passport.Passport) { p.Level = passport.Anonymous }
	one := changeAt(t, r, sealed, "one", at, signOut)
	other := changeAt(t, r, sealed, "other", at.Add(time.Second), signOut)
	again := changeAt(t, r, one, "again", at.Add(2*time.Second), func(p *passport.Passport) { p.Level = passport.Authenticated })
	m, err := passport.Merge(again, other)
	if err != nil {
		t.Fatal(err)
	}
	h := history(t, r, m)
	if h.Now.Level != passport.Anonymous || len(h.Conflicts) != 1 || h.Changes[h.Conflicts[0].Kept].By != "other" || h.Changes[h.Conflicts[0].Lost].By != "again" {
		t.Errorf("%v, %+v", h.Now.Level, h.Conflicts)
	}
}

func TestChainsThatDoNotHold(t *testing.T) {
	r, sealed := newKeyring(t, goldenKey), unhex(t, goldenSealed)
	one := change(t, r, sealed, "a", func(p *passport.Passport) { p.Plan = "basic" })
	two := change(t, r, one, "b", func(p *passport.Passport) { p.Plan = "free" })
	first, second := one[len(sealed):], two[len(one):]
	p := golden
	p.Customer = "mallory"
	other, err := r.Seal(p)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		b    []byte
		want error
	}{
		"a change alone":              {first, passport.ErrMalformed},
		"one left out":                {slices.Concat(sealed, second), passport.ErrForged},
		"the wrong way round":         {slices.Concat(sealed, second, first), passport.ErrForged},
		"on another passport":         {slices.Concat(other, first), passport.ErrForged},
		"two that were minted":        {slices.Concat(sealed, other), passport.ErrMalformed},
		"two, with a change":          {slices.Concat(sealed, first, other), passport.ErrMalformed},
		"cut short":                   {two[:len(two)-1], passport.ErrMalformed},
		"a byte behind":               {append(slices.Clone(two), 0), passport.ErrMalformed},
		"the keyring's, with another": {slices.Concat(sealed, changeLink(passport.NewKey(goldenKey.Name), sealed, []byte("\x93\xa1a\x01\x80"))), passport.ErrForged},
	} {
		refused(t, name, r, tc.b, golden.Issued, tc.want)
	}
	for i := range len(two) * 8 {
		b := slices.Clone(two)
		b[i/8] ^= 1 << (i % 8)
		refused(t, fmt.Sprintf("bit %d of byte %d flipped", i%8, i/8), r, b, golden.Issued, nil)
	}
}

// changeLink is a change as package passport documents it, with any body.
func changeLink(k passport.Key, after, body []byte) []byte {
	mac := after[len(after)-32:]
	b := append([]byte{0x94, 0xa0 | byte(len(k.Name))}, k.Name...)
	b = append(append(b, 0xc4, 8), mac[:8]...)
	b = append(b, 0xc5, byte(len(body)>>8), byte(len(body)))
	b = append(b, body...)
	return sign(append(b, 0xc4, 0x20), k, fmt.Sprintf("warmline change 2\x00%c%s%s%s", len(k.Name), k.Name, mac, body))
}

// Bodies that a key has signed and no service of ours has made.
func TestBodiesThatAreNoChange(t *testing.T) {
	r, sealed := newKeyring(t, goldenKey), unhex(t, goldenSealed)
	withBody := func(digits string) []byte {
		return slices.Concat(sealed, changeLink(goldenKey, sealed, unhex(t, digits)))
	}
	if p, err := r.Open(withBody("93 a161 01 82 a56c6576656c 01 a4706c616e a178"), golden.Issued); err != nil || p.Plan != "x" || p.Level != passport.Recognised {
		t.Fatalf("as it should be: %+v, %v", p, err)
	}
	for name, digits := range map[string]string{
		"empty":                "",
		"two elements":         "92 a161 01",
		"four elements":        "94 a161 01 80 c0",
		"something behind":     "93 a161 01 80 c0",
		"another field":        "93 a161 01 81 a66f726967696e a178",
		"an empty field":       "93 a161 01 81 a0 a178",
		"a level of text":      "93 a161 01 81 a56c6576656c a178",
		"a text of nil":        "93 a161 01 81 a4706c616e c0",
		"a nameless one":       "93 a161 01 81 ac707265666572656e6365732e a178",
		"one that has no name": "93 a161 01 81 ac707265666572656e6365732e c0",
		"twice the same":       "93 a161 01 82 a4706c616e a178 a4706c616e a179",
		"not in order":         "93 a161 01 82 a770726f66696c65 a178 a4706c616e a178",
		"a map that lies":      "93 a161 01 df ffffffff",
		"a text that lies":     "93 a161 01 81 a4706c616e db ffffffff",
		"a map, fewer":         "93 a161 01 82 a4706c616e a178",
		"by a number":          "93 01 01 80",
		"at a text":            "93 a161 a161 80",
		"long by":              "93 da0100" + strings.Repeat("61", 256) + "01 80",
		"a preference of 1K":   "93 a161 01 81 ad707265666572656e6365732e78 da0401" + strings.Repeat("61", 1025),
	} {
		refused(t, name, r, withBody(digits), golden.Issued, passport.ErrMalformed)
	}
	// A change may not be before the one that it follows.
	back := withBody("93 a161 05 80")
	for at, want := range map[string]error{"04": passport.ErrMalformed, "05": passport.ErrMalformed, "06": nil} {
		_, err := r.Open(slices.Concat(back, changeLink(goldenKey, back, unhex(t, "93 a161"+at+"80"))), golden.Issued)
		if !errors.Is(err, want) {
			t.Errorf("at %s behind one at 05: %v", at, err)
		}
	}
}

func TestAPassportIsFull(t *testing.T) {
	r, sealed := newKeyring(t, goldenKey), unhex(t, goldenSealed)
	many := sealed
	for i := range passport.MaxChanges {
		many = change(t, r, many, "a", func(p *passport.Passport) { p.Plan = fmt.Sprint(i) })
	}
	if _, err := r.Change(many, "a", golden.Issued, func(p *passport.Passport) { p.Plan = "x" }); !errors.Is(err, passport.ErrFull) {
		t.Errorf("one change more: %v", err)
	}
	aside := change(t, r, sealed, "b", func(p *passport.Passport) { p.Plan = "y" })
	if _, err := passport.Merge(many, aside); err == nil || !strings.Contains(err.Error(), "17 changes") {
		t.Errorf("one more, merged: %v", err)
	}
	refused(t, "one more, by hand", r, slices.Concat(many, aside[len(sealed):]), golden.Issued, passport.ErrMalformed)
	large := func(p *passport.Passport) {
		for i := range 4 {
			p.SetField(fmt.Sprint("preferences.p", i), strings.Repeat("x", 1000))
		}
	}
	if _, err := r.Change(sealed, "a", golden.Issued, large); !errors.Is(err, passport.ErrFull) {
		t.Errorf("4,000 bytes: %v", err)
	}
	p := golden.Clone()
	large(&p)
	if _, err := r.Seal(p); !errors.Is(err, passport.ErrFull) || !strings.Contains(err.Error(), "reference") {
		t.Errorf("4,000 bytes, minted: %v", err)
	}
}

func TestMergeRefuses(t *testing.T) {
	r, sealed := newKeyring(t, goldenKey), unhex(t, goldenSealed)
	p := golden
	p.Plan = "other"
	other, err := r.Seal(p)
	if err != nil {
		t.Fatal(err)
	}
	for b, want := range map[string]error{"": passport.ErrMissing, "x": passport.ErrMalformed, string(other): passport.ErrOther} {
		if _, err := passport.Merge(sealed, []byte(b)); !errors.Is(err, want) {
			t.Errorf("%x: %v", b, err)
		}
		if _, err := passport.Merge([]byte(b), sealed); !errors.Is(err, want) {
			t.Errorf("%x: %v", b, err)
		}
		if passport.Same(sealed, []byte(b)) || passport.Same([]byte(b), sealed) {
			t.Errorf("%x is the same", b)
		}
	}
	if changed := change(t, r, sealed, "a", func(p *passport.Passport) { p.Plan = "x" }); !passport.Same(sealed, changed) || !passport.Same(changed, sealed) {
		t.Error("a change has made another passport of it")
	}
}

// Whatever an adapter makes of passports, without a key, it gets nothing that no
// service has said.
func FuzzMerge(f *testing.F) {
	r := newKeyring(f, goldenKey)
	sealed := unhex(f, goldenSealed)
	one := change(f, r, sealed, "a", func(p *passport.Passport) { p.Plan = "basic" })
	two := change(f, r, one, "b", func(p *passport.Passport) { p.Plan = "free" })
	aside := change(f, r, sealed, "c", func(p *passport.Passport) { p.Plan = "none" })
	f.Add(one, aside)
	f.Add(two, sealed)
	f.Add(slices.Concat(two, aside[len(sealed):]), one)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		m, err := passport.Merge(a, b)
		if err != nil {
			return
		}
		if !passport.Same(a, b) || !bytes.HasPrefix(m, a) || len(m) > passport.MaxSealed {
			t.Fatalf("%x and %x make %x", a, b, m)
		}
		p, err := r.Open(m, golden.Issued)
		if err == nil && (p.Customer != golden.Customer || !slices.Contains([]string{"premium", "basic", "free", "none"}, p.Plan)) {
			t.Fatalf("%+v", p)
		}
	})
}

func BenchmarkOpenChanged(b *testing.B) {
	r, sealed := newKeyring(b, goldenKey), unhex(b, goldenSealed)
	for range 2 {
		sealed = change(b, r, sealed, "members@1.2.0", func(p *passport.Passport) { p.Plan += "x" })
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.History(sealed, golden.Issued); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkChange(b *testing.B) {
	r, sealed := newKeyring(b, goldenKey), unhex(b, goldenSealed)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Change(sealed, "members@1.2.0", golden.Issued, func(p *passport.Passport) { p.Plan = "basic" }); err != nil {
			b.Fatal(err)
		}
	}
}
