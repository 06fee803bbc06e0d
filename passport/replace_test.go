package passport_test

import (
	"bytes"
	"sync"
	"testing"

	"warmline.dev/passport"
)

func replace(t testing.TB, r *passport.Keyring, keys ...passport.Key) {
	t.Helper()
	if err := r.Replace(keys...); err != nil {
		t.Fatal(err)
	}
}

func sealWith(t testing.TB, r *passport.Keyring) []byte {
	t.Helper()
	b, err := r.Seal(golden)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A keyring in use goes through a rotation: at each step it seals with the first key,
// and at the last one it forgets what it has opened of the old.
func TestKeysAreReplaced(t *testing.T) {
	older, newer := passport.NewKey("older"), passport.NewKey("newer")
	r, onlyOlder, onlyNewer := newKeyring(t, older), newKeyring(t, older), newKeyring(t, newer)
	old, young := sealWith(t, onlyOlder), sealWith(t, onlyNewer)
	opens := func(name string, b []byte) {
		t.Helper()
		for range 2 { // the second time it is one that was seen
			if _, err := r.Open(b, golden.Issued); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	opens("the only key", old)
	refused(t, "not known yet", r, young, golden.Issued, passport.ErrForged)
	replace(t, r, older, newer)
	opens("still the first", old)
	opens("behind", young)
	if !bytes.Equal(sealWith(t, r), old) {
		t.Error("it does not seal with the first key")
	}
	replace(t, r, newer, older)
	opens("behind now", old)
	if !bytes.Equal(sealWith(t, r), young) {
		t.Error("it does not seal with the new first key")
	}
	changed := change(t, r, old, "members", func(p *passport.Passport) { p.Plan = "basic" })
	opens("changed with the new key", changed)
	replace(t, r, newer)
	opens("the new key", young)
	for name, b := range map[string][]byte{"retired": old, "changed since, but minted with what is retired": changed} {
		refused(t, name, r, b, golden.Issued, passport.ErrForged)
		if _, err := r.History(b, golden.Issued); err == nil {
			t.Errorf("%s has a history", name)
		}
		if _, err := r.Change(b, "members", golden.Issued, func(p *passport.Passport) { p.Plan = "basic" }); err == nil {
			t.Errorf("%s was changed", name)
		}
	}
	// A key of the same name is another one all the same.
	replace(t, r, passport.NewKey("newer"))
	refused(t, "another of this name", r, young, golden.Issued, passport.ErrForged)
}

func TestKeysOfAllAudiencesAreReplaced(t *testing.T) {
	older, newer := passport.NewKey("older"), passport.NewKey("newer")
	r := newKeyring(t, older)
	east := r.For("east")
	b := sealWith(t, east)
	if _, err := east.Open(b, golden.Issued); err != nil {
		t.Fatal(err)
	}
	replace(t, r, newer)
	refused(t, "retired", east, b, golden.Issued, passport.ErrForged)
	b = sealWith(t, east)
	if _, err := newKeyring(t, newer).For("east").Open(b, golden.Issued); err != nil {
		t.Error(err)
	}
	refused(t, "of another audience", r, b, golden.Issued, passport.ErrAudience)
	replace(t, east, older)
	if !bytes.Equal(sealWith(t, r), sealWith(t, newKeyring(t, older))) {
		t.Error("what it was made of has other keys")
	}
}

func TestBadKeysReplaceNothing(t *testing.T) {
	key := passport.NewKey("k")
	r := newKeyring(t, key)
	b := sealWith(t, r)
	for name, keys := range map[string][]passport.Key{
		"none":          {},
		"a short key":   {{Name: "a", Secret: key.Secret[:31]}},
		"twice":         {key, key},
		"bad behind it": {passport.NewKey("new"), passport.NewKey("")},
	} {
		if err := r.Replace(keys...); err == nil {
			t.Errorf("%s: taken", name)
		}
		if _, err := r.Open(b, golden.Issued); err != nil || !bytes.Equal(sealWith(t, r), b) {
			t.Errorf("%s: the keys are others: %v", name, err)
		}
	}
}

// Who seals, opens or changes while keys are replaced is never refused, as long as the
// key of what they open stays: a change begins and ends with the same keys.
func TestKeysAreReplacedUnderUse(t *testing.T) {
	keys := []passport.Key{passport.NewKey("k0"), passport.NewKey("k1"), passport.NewKey("k2"), passport.NewKey("k3")}
	r := newKeyring(t, keys[0], keys[1])
	b := sealWith(t, r)
	done := make(chan struct{})
	var users sync.WaitGroup
	for range 4 {
		users.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if _, err := r.Seal(golden); err != nil {
					t.Error(err)
					return
				}
				if _, err := r.Open(b, golden.Issued); err != nil {
					t.Error("with the key that stays: ", err)
					return
				}
				if c, err := r.Change(b, "members", golden.Issued, func(p *passport.Passport) { p.Plan = "basic" }); err != nil || c.Passport.Plan != "basic" {
					t.Error("changed: ", err)
					return
				}
				if h, err := r.For("").History(b, golden.Issued); err != nil || h.Now.Plan != golden.Plan {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 300 {
		other := keys[1+i%3]
		if i%2 == 0 {
			replace(t, r, other, keys[0])
		} else {
			replace(t, r, keys[0], other)
		}
	}
	close(done)
	users.Wait()
	replace(t, r, keys[1])
	refused(t, "retired", r, b, golden.Issued, passport.ErrForged)
}
