package nodelayer_test

import (
	"context"
	"testing"
	"time"

	"warmline.dev/edgelayer"
	"warmline.dev/nodelayer"
	"warmline.dev/passport"
)

// members is an edge with a service that reads and changes the passport, and a
// passport of Ann's in a context.
func members(t testing.TB) (*nodelayer.Edge, context.Context, *passport.Carrier) {
	t.Helper()
	keys, err := passport.NewKeyring(passport.NewKey("k1"))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := keys.Seal(passport.Passport{Customer: "ann", Profile: "grown-up", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	e := serveAt(t, anyPort, edgelayer.Config{Keys: keys, Services: []edgelayer.Service{{Name: "members", Version: "1.2.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("who", func(ctx context.Context, _ struct{}) (string, error) {
			p, err := edgelayer.Passport(ctx)
			return p.Customer + "/" + p.Profile, err
		}),
		edgelayer.NewMethod("choose", func(ctx context.Context, profile string) (string, error) {
			return profile, edgelayer.ChangePassport(ctx, func(p *passport.Passport) { p.Profile = profile })
		}),
	}}}})
	carrier := passport.NewCarrier(sealed)
	return dial(t, e.addr), passport.NewContext(t.Context(), carrier), carrier
}

func wantWho(t testing.TB, ask asking[string], ctx context.Context, who string) {
	t.Helper()
	if got, err := ask(ctx, "members.who", nil); got != who || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, who)
	}
}

func wantProfile(t testing.TB, c *passport.Carrier, profile string) {
	t.Helper()
	p, err := passport.Peek(c.Sealed())
	if err != nil || p.Profile != profile {
		t.Errorf("the carrier holds %+v, %v, want profile %q", p, err, profile)
	}
	if want := profile != "grown-up"; c.Changed() != want {
		t.Errorf("Changed is %v, want %v", !want, want)
	}
}

func TestAChangedPassportReplacesTheCarriersAndIsUsedFromThenOn(t *testing.T) {
	for _, way := range []string{"Ask", "Call"} {
		t.Run("changed by "+way, func(t *testing.T) {
			e, ctx, carrier := members(t)
			inBothWays(t, e, func(t *testing.T, ask asking[string]) { wantWho(t, ask, ctx, "ann/grown-up") })
			wantProfile(t, carrier, "grown-up")
			c := converseIn(t, ctx, e)
			var err error
			if way == "Ask" {
				_, err = nodelayer.Ask[string](ctx, e, "members.choose", "kids")
			} else {
				_, err = call[string](ctx, c, "members.choose", "kids")
				wantWho(t, func(ctx context.Context, m string, a any) (string, error) { return call[string](ctx, c, m, a) }, ctx, "ann/kids")
			}
			if err != nil {
				t.Fatal(err)
			}
			wantProfile(t, carrier, "kids")
			inBothWays(t, e, func(t *testing.T, ask asking[string]) { wantWho(t, ask, ctx, "ann/kids") })
		})
	}
}

func TestWithoutACarrierThereIsNoPassport(t *testing.T) {
	e, _, _ := members(t)
	inBothWays(t, e, func(t *testing.T, ask asking[string]) {
		if _, err := ask(t.Context(), "members.who", nil); err == nil || err.Error() != "unauthenticated: passport: missing" {
			t.Errorf("got %v", err)
		}
	})
}
