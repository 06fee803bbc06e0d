package passport_test

import (
	"context"
	"sync"
	"testing"

	"warmline.dev/passport"
)

func TestCarriersTakeTheChangedPassport(t *testing.T) {
	c := passport.NewCarrier([]byte("first"))
	if string(c.Sealed()) != "first" || c.Changed() {
		t.Errorf("new: %q, changed: %v", c.Sealed(), c.Changed())
	}
	c.Replace([]byte("second"))
	if string(c.Sealed()) != "second" || !c.Changed() {
		t.Errorf("replaced: %q, changed: %v", c.Sealed(), c.Changed())
	}
	var zero passport.Carrier
	if len(zero.Sealed()) != 0 || zero.Changed() {
		t.Errorf("zero: %q, changed: %v", zero.Sealed(), zero.Changed())
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
	none.Replace([]byte("x"))
	if again := passport.FromContext(context.Background()); len(again.Sealed()) != 0 {
		t.Error("what one context without a carrier is given, another one sees")
	}
}

func TestCarriersAreSafeForConcurrentUse(t *testing.T) {
	c := passport.NewCarrier([]byte("one"))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				c.Replace([]byte("two"))
				if s := string(c.Sealed()); s != "two" || !c.Changed() {
					t.Errorf("%q, changed: %v", s, c.Changed())
				}
			}
		})
	}
	wg.Wait()
}
