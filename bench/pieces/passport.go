package pieces

import (
	"context"
	"time"

	"warmline.dev/passport"
)

func preparePassport(context.Context) (ready, error) {
	ring, err := passport.NewKeyring(passport.NewKey("bench"))
	if err != nil {
		return ready{}, err
	}
	now := time.Now()
	who := passport.Passport{
		Customer: "c-1001", Profile: "p-1", Plan: "premium", Device: "tv", Country: "DE", Level: passport.Authenticated, Origin: "gateway",
		Issued: now, Expires: now.Add(time.Hour),
	}
	var all [4096][]byte // more than a keyring remembers
	for i := range all {
		who.Issued = now.Add(-time.Duration(i) * time.Millisecond)
		if all[i], err = ring.Seal(who); err != nil {
			return ready{}, err
		}
	}
	next := 0
	return ready{pieces: []piece{
		{name: "passport, seen before", measure: loop(func(n int) error {
			for range n {
				if _, err := ring.Open(all[0], now); err != nil {
					return err
				}
			}
			return nil
		}).measure},
		{name: "passport, first sight", measure: loop(func(n int) error {
			at := next
			for range n {
				if _, err := ring.Open(all[at%len(all)], now); err != nil {
					return err
				}
				at++
			}
			next = at
			return nil
		}).measure},
	}}, nil
}
