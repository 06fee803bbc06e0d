package edgelayer_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/internal/logged"
	"warmline.dev/internal/wildcard"
	"warmline.dev/passport"
	"warmline.dev/protocol"
)

func newKeys(t testing.TB) *passport.Keyring {
	t.Helper()
	keys, err := passport.NewKeyring(passport.NewKey("k1"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// sealed is a passport of Ann's that is good for an hour, but for what change does.
func sealed(t testing.TB, keys *passport.Keyring, change func(p *passport.Passport)) []byte {
	t.Helper()
	now := time.Now()
	p := passport.Passport{Customer: "ann", Profile: "grown-up", Level: passport.Recognised, Origin: "gateway", Issued: now, Expires: now.Add(time.Hour)}
	change(&p)
	b, err := keys.Seal(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func asIs(*passport.Passport) {}

type profile struct {
	Profile string `json:"profile"`
}

// members is a service of methods that go by the passport. ran counts the calls
// that got into one.
type members struct{ ran chan string }

func newMembers() (*members, edgelayer.Service) {
	m := &members{ran: make(chan string, 100)}
	return m, edgelayer.Service{Name: "members", Version: "1.2.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("who", func(ctx context.Context, _ struct{}) (string, error) {
			m.ran <- "who"
			p, err := edgelayer.Passport(ctx)
			return p.Customer + "/" + p.Profile + " " + p.Level.String() + " by " + p.Origin, err
		}, edgelayer.NeedsPassport(passport.Anonymous)),
		edgelayer.NewMethod("perhaps", func(ctx context.Context, _ struct{}) (string, error) {
			p, err := edgelayer.Passport(ctx)
			return p.Customer, err
		}),
		edgelayer.NewMethod("pay", func(context.Context, struct{}) (bool, error) {
			m.ran <- "pay"
			return true, nil
		}, edgelayer.NeedsPassport(passport.Authenticated)),
		edgelayer.NewMethod("choose", func(ctx context.Context, in profile) (profile, error) {
			return in, edgelayer.ChangePassport(ctx, func(p *passport.Passport) { p.Profile = in.Profile })
		}, edgelayer.NeedsPassport(passport.Recognised)),
		edgelayer.NewMethod("chooseAndFail", func(ctx context.Context, in profile) (profile, error) {
			if err := edgelayer.ChangePassport(ctx, func(p *passport.Passport) { p.Profile = in.Profile }); err != nil {
				return in, err
			}
			return in, protocol.Errorf(protocol.Unavailable, "changed, and then it failed")
		}),
		edgelayer.NewMethod("spoil", func(ctx context.Context, _ struct{}) (bool, error) {
			return true, edgelayer.ChangePassport(ctx, func(p *passport.Passport) { p.Profile = strings.Repeat("x", 256) })
		}),
	}}
}

func carrying(b []byte) protocol.Metadata { return protocol.Metadata{Passport: b} }

func (m *members) wantRan(t testing.TB, calls int) {
	t.Helper()
	if n := len(m.ran); n != calls {
		t.Errorf("%d calls got into a method, want %d", n, calls)
	}
}

func TestNeedsPassport(t *testing.T) {
	keys := newKeys(t)
	good := sealed(t, keys, asIs)
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1
	for what, tc := range map[string]struct {
		passport []byte
		method   string
		answer   string
		ran      int
	}{
		"missing":              {nil, "members.who", "ERROR unauthenticated passport: missing", 0},
		"by another key":       {sealed(t, newKeys(t), asIs), "members.who", "ERROR unauthenticated passport: forged: …", 0},
		"a bit flipped":        {flipped, "members.who", "ERROR unauthenticated passport: …", 0},
		"no passport at all":   {[]byte("let me in"), "members.who", "ERROR unauthenticated passport: not a sealed passport", 0},
		"a bomb":               {[]byte(bomb), "members.who", "ERROR unauthenticated passport: not a sealed passport", 0},
		"expired":              {sealed(t, keys, func(p *passport.Passport) { p.Expires = time.Now().Add(-time.Second) }), "members.who", "ERROR unauthenticated passport: expired", 0},
		"good":                 {good, "members.who", `"ann/grown-up recognised by gateway"`, 1},
		"a level too low":      {good, "members.pay", "ERROR forbidden members.pay needs a passport that is authenticated, this one is recognised", 0},
		"the level that it is": {sealed(t, keys, func(p *passport.Passport) { p.Level = passport.Authenticated }), "members.pay", "true", 1},
		"none, none needed":    {nil, "members.perhaps", "ERROR unauthenticated passport: missing", 0},
		"good, none needed":    {good, "members.perhaps", `"ann"`, 0},
	} {
		t.Run(what, func(t *testing.T) {
			inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
				m, svc := newMembers()
				l := start(t, edgelayer.Config{Services: []edgelayer.Service{svc}, Keys: keys}).dialIn(codec, "")
				l.wantWith(protocol.Metadata{Route: tc.method, Passport: tc.passport}, "", tc.answer)
				m.wantRan(t, tc.ran)
				got := strings.Join(l.converseWith(carrying(tc.passport), `[1,1,"`+tc.method+`",{}]`).hear(), " ")
				want := "[3,1," + tc.answer + "]"
				if rest, failed := strings.CutPrefix(tc.answer, "ERROR "); failed {
					code, message, _ := strings.Cut(rest, " ")
					want = `[4,1,"` + code + `","` + message + `",false]`
				}
				if !wildcard.Match(got, want) {
					t.Errorf("conversation\n got %s\nwant %s", got, want)
				}
				m.wantRan(t, 2*tc.ran)
			})
		})
	}
}

func TestAnEdgeWithoutKeysRefusesEveryPassport(t *testing.T) {
	m, svc := newMembers()
	l := offering(t, svc).dial("")
	l.wantWith(protocol.Metadata{Route: "members.who", Passport: sealed(t, newKeys(t), asIs)}, "", "ERROR unauthenticated this edge has no passport keys")
	m.wantRan(t, 0)
}

// wantPassport reads one payload and wants it to hold a passport, with this
// answer behind it.
func (c *conversation) wantPassport(keys *passport.Keyring, answer string) passport.Passport {
	c.l.t.Helper()
	got := c.hear()
	if len(got) != 2 || !wildcard.Match(got[0], `[6,"…"]`) || !wildcard.Match(got[1], answer) {
		c.l.t.Fatalf("payload\n got %s\nwant [6,PASSPORT] %s", strings.Join(got, " "), answer)
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(strings.TrimPrefix(got[0], `[6,"`), `"]`))
	if err != nil {
		c.l.t.Fatal(err)
	}
	return mustOpen(c.l.t, keys, b)
}

func mustOpen(t testing.TB, keys *passport.Keyring, b []byte) passport.Passport {
	t.Helper()
	p, err := keys.Open(b, time.Now())
	if err != nil {
		t.Fatalf("the changed passport: %v", err)
	}
	return p
}

func TestAChangedPassportStandsBeforeTheReplyAndIsUsedFromThenOn(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		keys := newKeys(t)
		_, svc := newMembers()
		l := start(t, edgelayer.Config{Services: []edgelayer.Service{svc}, Keys: keys}).dialIn(codec, "")
		before := sealed(t, keys, asIs)
		c := l.converseWith(carrying(before), `[1,1,"members.choose",{"profile":"kids"}]`)
		after := c.wantPassport(keys, `[3,1,{"profile":"kids"}]`)
		want := mustOpen(t, keys, before)
		want.Profile, want.Origin = "kids", "members@1.2.0"
		if !after.Equal(&want) {
			t.Errorf("changed passport\n got %+v\nwant %+v", after, want)
		}
		c.say(`[1,2,"members.who",{}]`)
		c.want(`[3,2,"ann/kids recognised by members@1.2.0"]`) // and no passport that has not changed again

		other := l.converseWith(carrying(before), `[1,1,"members.who",{}]`)
		other.want(`[3,1,"ann/grown-up recognised by gateway"]`)
	})
}

func TestAChangeIsToldEvenIfItsCallFails(t *testing.T) {
	keys := newKeys(t)
	_, svc := newMembers()
	l := start(t, edgelayer.Config{Services: []edgelayer.Service{svc}, Keys: keys}).dial("")
	c := l.converseWith(carrying(sealed(t, keys, asIs)), `[1,1,"members.chooseAndFail",{"profile":"kids"}]`)
	if p := c.wantPassport(keys, `[4,1,"unavailable","changed, and then it failed",false]`); p.Profile != "kids" {
		t.Errorf("got %+v", p)
	}
	c.say(`[1,2,"members.spoil",{}]`)
	c.want(`[4,2,"internal","passport: …",false]`) // nothing was changed, so nothing is told
	c.say(`[1,3,"members.who",{}]`)
	c.want(`[3,3,"ann/kids recognised by members@1.2.0"]`)
}

func TestASingleCallReturnsTheChangedPassportInItsMetadata(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		keys := newKeys(t)
		_, svc := newMembers()
		l := start(t, edgelayer.Config{Services: []edgelayer.Service{svc}, Keys: keys}).dialIn(codec, "")
		before := sealed(t, keys, asIs)
		got, md := l.askForAll(protocol.Metadata{Route: "members.choose", Passport: before}, `{"profile":"kids"}`)
		if got != `{"profile":"kids"}` {
			t.Errorf("got %s", got)
		}
		if p := mustOpen(t, keys, md.Passport); p.Profile != "kids" || p.Origin != "members@1.2.0" || p.Customer != "ann" {
			t.Errorf("got %+v", p)
		}
		if _, md = l.askForAll(protocol.Metadata{Route: "members.who", Passport: before}, ""); md.Passport != nil {
			t.Error("a passport came back that nobody changed")
		}
	})
}

// Two calls change the passport at once: the adapter keeps the last one it hears,
// so the last one must hold both changes, whichever call is answered last.
func TestTheLastPassportHoldsEveryChange(t *testing.T) {
	keys := newKeys(t)
	changed, door := make(chan struct{}), make(chan struct{})
	svc := edgelayer.Service{Name: "members", Version: "1.2.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("plan", func(ctx context.Context, _ struct{}) (bool, error) {
			err := edgelayer.ChangePassport(ctx, func(p *passport.Passport) { p.Plan = "premium" })
			close(changed)
			<-door
			return true, err
		}),
		edgelayer.NewMethod("move", func(ctx context.Context, _ struct{}) (bool, error) {
			return true, edgelayer.ChangePassport(ctx, func(p *passport.Passport) { p.Country = "SE" })
		}),
	}}
	l := start(t, edgelayer.Config{Services: []edgelayer.Service{svc}, Keys: keys}).dial("")
	c := l.converseWith(carrying(sealed(t, keys, asIs)), `[1,1,"members.plan",{}]`)
	await.Value(t, "the first change", changed)
	c.say(`[1,2,"members.move",{}]`)
	c.wantPassport(keys, "[3,2,true]")
	close(door)
	if p := c.wantPassport(keys, "[3,1,true]"); p.Plan != "premium" || p.Country != "SE" {
		t.Errorf("the last passport has plan %q and country %q", p.Plan, p.Country)
	}
}

// Two calls change the same field, and the first that looked is the last that
// changes: its value counts, and the log tells of it. What only one has set is merged.
func TestTheSameChangedTwiceIsLogged(t *testing.T) {
	keys, log := newKeys(t), &logged.Log{}
	looked, door := make(chan struct{}), make(chan struct{})
	svc := edgelayer.Service{Name: "members", Version: "1.2.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("slow", func(ctx context.Context, _ struct{}) (bool, error) {
			if _, err := edgelayer.Passport(ctx); err != nil {
				return false, err
			}
			close(looked)
			<-door
			return true, edgelayer.ChangePassport(ctx, func(p *passport.Passport) { p.Plan, p.Country = "basic", "SE" })
		}),
		edgelayer.NewMethod("quick", func(ctx context.Context, _ struct{}) (bool, error) {
			return true, edgelayer.ChangePassport(ctx, func(p *passport.Passport) { p.Plan, p.Profile = "premium", "kids" })
		}),
	}}
	l := start(t, edgelayer.Config{Services: []edgelayer.Service{svc}, Keys: keys, Log: zerolog.New(log)}).dial("")
	c := l.converseWith(carrying(sealed(t, keys, asIs)), `[1,1,"members.slow",{}]`)
	await.Value(t, "the slow call to look", looked)
	c.say(`[1,2,"members.quick",{}]`)
	c.wantPassport(keys, "[3,2,true]")
	const line = `"by":"members@1.2.0","fields":["plan"],"message":"two calls have changed the same of a passport`
	if strings.Contains(log.String(), "two calls") {
		t.Errorf("the log says so before it happened: %s", log)
	}
	close(door)
	if p := c.wantPassport(keys, "[3,1,true]"); p.Plan != "basic" || p.Country != "SE" || p.Profile != "kids" {
		t.Errorf("the last passport is %+v", p)
	}
	if strings.Count(log.String(), line) != 1 {
		t.Errorf("the log says %s", log)
	}
}

// A passport holds so many changes; one more fails its call, and nothing else.
func TestAPassportIsFull(t *testing.T) {
	keys := newKeys(t)
	_, svc := newMembers()
	l := start(t, edgelayer.Config{Services: []edgelayer.Service{svc}, Keys: keys}).dial("")
	c := l.converseWith(carrying(sealed(t, keys, asIs)))
	for i := range passport.MaxChanges {
		c.say(fmt.Sprintf(`[1,%d,"members.choose",{"profile":"p%d"}]`, i+1, i))
		c.wantPassport(keys, "[3,…")
	}
	c.say(`[1,100,"members.choose",{"profile":"one more"}]`)
	c.want(`[4,100,"too_large","passport: too much to carry: 17 changes in …",false]`)
	c.say(`[1,101,"members.who",{}]`)
	c.want(`[3,101,"ann/p15 recognised by members@1.2.0"]`)
}

func TestAChangeStandsThoughItsCallIsCancelled(t *testing.T) {
	keys := newKeys(t)
	changed := make(chan struct{})
	_, svc := newMembers()
	svc.Methods = append(svc.Methods, edgelayer.NewMethod("dither", func(ctx context.Context, _ struct{}) (bool, error) {
		err := edgelayer.ChangePassport(ctx, func(p *passport.Passport) { p.Profile = "kids" })
		close(changed)
		<-ctx.Done()
		return true, err
	}))
	l := start(t, edgelayer.Config{Services: []edgelayer.Service{svc}, Keys: keys}).dial("")
	c := l.converseWith(carrying(sealed(t, keys, asIs)), `[1,1,"members.dither",{}]`)
	await.Value(t, "the change", changed)
	c.say(`[2,1]`)
	c.want(`[6,"…"]`) // and no answer
	c.say(`[1,2,"members.who",{}]`)
	c.want(`[3,2,"ann/kids recognised by members@1.2.0"]`)
}

func TestAConversationThatOutlivesItsPassportIsUnauthenticated(t *testing.T) {
	keys := newKeys(t)
	_, svc := newMembers()
	l := start(t, edgelayer.Config{Services: []edgelayer.Service{svc}, Keys: keys}).dial("")
	soonGone := sealed(t, keys, func(p *passport.Passport) { p.Expires = time.Now().Add(100 * time.Millisecond) })
	c := l.converseWith(carrying(soonGone))
	await.Until(t, "the passport to expire", func() bool {
		c.say(`[1,1,"members.perhaps",{}]`)
		got := strings.Join(c.hear(), " ")
		if got != `[3,1,"ann"]` && got != `[4,1,"unauthenticated","passport: expired",false]` {
			t.Fatalf("heard %s", got)
		}
		return strings.HasPrefix(got, "[4")
	})
}

func TestAMethodThatIsNotCalledThroughAnEdgeHasNoPassport(t *testing.T) {
	_, err := edgelayer.Passport(t.Context())
	if e := protocol.AsError(err); e == nil || e.Code != protocol.Unauthenticated || e.Message != "not called through an edge" {
		t.Errorf("Passport: %v", err)
	}
	err = edgelayer.ChangePassport(t.Context(), func(*passport.Passport) { t.Error("there is nothing to change") })
	if e := protocol.AsError(err); e == nil || e.Code != protocol.Unauthenticated {
		t.Errorf("ChangePassport: %v", err)
	}
}
