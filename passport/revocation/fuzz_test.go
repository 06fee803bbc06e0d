package revocation_test

import (
	"errors"
	"testing"
	"time"

	"warmline.dev/passport"
	"warmline.dev/passport/revocation"
)

// FuzzTake gives a set whatever may come from the bus: as it is, and signed.
func FuzzTake(f *testing.F) {
	key := passport.Key{Name: "k", Secret: make([]byte, 32)}
	p := &revocation.Teller{Key: key, Epoch: 1, Sent: time.Now()}
	at := time.Now()
	known := revocation.Entry{ID: "known", At: at}
	seeds := [][]byte{p.Change(known), p.Beat(known), p.Ask(), p.Snapshot(known)[0]}
	for _, m := range seeds {
		f.Add(m[3], m[6:len(m)-32])
		f.Add(byte(0), m)
	}
	f.Fuzz(func(t *testing.T, kind byte, data []byte) {
		s := newSet(t, func(c *revocation.SetConfig) { c.Keys = []passport.Key{key}; c.MaxEntries = 100 })
		first := &revocation.Teller{Key: key, Epoch: 1, Sent: time.Now()}
		take(t, s, first.Snapshot(known)...)
		if err := s.Take(data); err != nil && !isRefusal(err) {
			t.Error(err)
		}
		for range 2 {
			if err := s.Take(first.Sign(kind, data)); err != nil && !isRefusal(err) {
				t.Error(err)
			}
		}
		s.Gap()
		revoked(t, s, at, "known") // whatever comes takes nothing away
		if n := s.Stats().Entries; n > 5000+100 {
			t.Errorf("%d entries", n)
		}
	})
}

func isRefusal(err error) bool {
	return errors.Is(err, revocation.ErrMalformed) || errors.Is(err, revocation.ErrForged) || errors.Is(err, revocation.ErrOld)
}
