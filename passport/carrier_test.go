package passport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"warmline.dev/passport"
)

func TestCarriersTakeTheChangedPassport(t *testing.T) {
	keys := newKeyring(t, goldenKey)
	sealed := unhex(t, goldenSealed)
	c := passport.NewCarrier(sealed)
	if !bytes.Equal(c.Sealed(), sealed) || c.Changed() {
		t.Errorf("new: %x, changed: %v", c.Sealed(), c.Changed())
	}
	one := change(t, keys, sealed, "members@1.2.0", func(p *passport.Passport) { p.Plan = "basic" })
	other := change(t, keys, sealed, "profiles@1.0.0", func(p *passport.Passport) { p.Profile = "kids" })
	for _, back := range [][]byte{one, other, one} {
		if err := c.Take(back); err != nil {
			t.Fatal(err)
		}
	}
	if p, err := passport.Peek(c.Sealed()); err != nil || p.Plan != "basic" || p.Profile != "kids" || !c.Changed() {
		t.Errorf("%+v, %v, changed: %v", p, err, c.Changed())
	}
}

func TestCarriersTakeNothingElse(t *testing.T) {
	keys := newKeyring(t, goldenKey)
	p := golden
	p.Customer = "mallory"
	other, err := keys.Seal(p)
	if err != nil {
		t.Fatal(err)
	}
	c := passport.NewCarrier(unhex(t, goldenSealed))
	for back, want := range map[string]error{"": passport.ErrMissing, "x": passport.ErrMalformed, string(other): passport.ErrOther} {
		if err := c.Take([]byte(back)); !errors.Is(err, want) {
			t.Errorf("%x: %v, want %v", back, err, want)
		}
	}
	var zero passport.Carrier
	if err := zero.Take(other); err == nil || len(zero.Sealed()) != 0 {
		t.Errorf("one that carries none: %v", err)
	}
	if c.Changed() || zero.Changed() || !bytes.Equal(c.Sealed(), unhex(t, goldenSealed)) {
		t.Error("what was refused has changed something")
	}
}

func TestContextsCarryCarriers(t *testing.T) {
	c := passport.NewCarrier([]byte("sealed"))
	if got := passport.FromContext(passport.NewContext(context.Background(), c)); got != c {
		t.Errorf("another carrier, of %q", got.Sealed())
	}
	none := passport.FromContext(context.Background())
	if none == nil || len(none.Sealed()) != 0 || none.Changed() {
		t.Errorf("without one: %v", none)
	}
	if passport.FromContext(context.Background()) == none {
		t.Error("two contexts without a carrier share one")
	}
}

func TestCarriersAreSafeForConcurrentUse(t *testing.T) {
	keys := newKeyring(t, goldenKey)
	sealed := unhex(t, goldenSealed)
	c := passport.NewCarrier(sealed)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			mine := change(t, keys, sealed, fmt.Sprint(i), func(p *passport.Passport) { p.SetField(fmt.Sprint("preferences.n", i), "set") })
			for range 50 {
				if err := c.Take(mine); err != nil {
					t.Error(err)
				}
				_ = c.Sealed()
			}
		})
	}
	wg.Wait()
	if p, err := keys.Open(c.Sealed(), golden.Issued); err != nil || len(p.Preferences) != 4 {
		t.Errorf("%+v, %v", p, err)
	}
}
