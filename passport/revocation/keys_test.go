package revocation_test

import (
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/passport"
	"warmline.dev/passport/revocation"
)

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
