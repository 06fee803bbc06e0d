package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/internal/serving"
	"warmline.dev/nodelayer"
	"warmline.dev/nodelayer/adapter"
	"warmline.dev/nodelayer/gateway"
	"warmline.dev/passport"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

func TestWhatTheGatewayMints(t *testing.T) {
	byCookie := func(_ http.ResponseWriter, r *http.Request) (passport.Passport, error) {
		c, err := r.Cookie("customer")
		if err != nil {
			return passport.Passport{}, err
		}
		return passport.Passport{
			Customer: c.Value, Profile: "kids", Level: passport.Recognised, // and what is the gateway's to say:
			Origin: "the mint", Issued: time.Unix(1, 0), Expires: time.Unix(2, 0),
		}, nil
	}
	for what, tc := range map[string]struct {
		cfg  gateway.Config
		want passport.Passport
		ttl  time.Duration
	}{
		"by default":  {gateway.Config{}, passport.Passport{Origin: "gateway", Device: "other"}, 5 * time.Minute},
		"by the mint": {gateway.Config{Name: "east", Mint: byCookie, PassportTTL: time.Hour}, passport.Passport{Customer: "ann", Profile: "kids", Level: passport.Recognised, Origin: "east", Device: "other"}, time.Hour},
	} {
		t.Run(what, func(t *testing.T) {
			sealed := make(chan []byte, 1)
			g := start(t, tc.cfg)
			g.offer("tv@2.0.0", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				sealed <- passport.FromContext(r.Context()).Sealed()
			}))
			before := time.Now().Truncate(time.Millisecond)
			r := g.request(await.Context(t), "GET", "/tv/home", nil)
			r.AddCookie(&http.Cookie{Name: "customer", Value: "ann"})
			g.must(r).want(t, "/tv/home", 200, "")
			got, err := g.keys.Open(<-sealed, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if got.Issued.Before(before) || got.Issued.After(time.Now()) {
				t.Errorf("issued at %v, asked at %v", got.Issued, before)
			}
			if ttl := got.Expires.Sub(got.Issued); ttl != tc.ttl {
				t.Errorf("good for %v, want %v", ttl, tc.ttl)
			}
			got.Issued, got.Expires = time.Time{}, time.Time{}
			if !got.Equal(&tc.want) {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

// The whole way: a service at an edge changes the passport, and it comes up to
// the gateway, which may tell the device.
func TestOnPassportHearsOfAChange(t *testing.T) {
	changes := make(chan passport.History, 10)
	g := start(t, gateway.Config{
		Mint: func(http.ResponseWriter, *http.Request) (passport.Passport, error) {
			return passport.Passport{Customer: "ann", Profile: "grown-up"}, nil
		},
		OnPassport: func(w http.ResponseWriter, r *http.Request, h passport.History) {
			changes <- h
			http.SetCookie(w, &http.Cookie{Name: "profile", Value: h.Now.Profile + r.URL.RawQuery})
		},
	})
	edge := startMembers(t, g.keys)
	g.offer("tv@2.0.0", adapter.JSON(func(r *http.Request) (any, error) {
		conv := edge.Converse(r.Context())
		defer conv.Close()
		return nodelayer.Call[string](r.Context(), conv, "members."+r.URL.Path[1:], map[string]string{"profile": "kids"})
	}))

	if got := g.want("/tv/look", 200, `"grown-up"`); got.header.Get("Set-Cookie") != "" || len(changes) > 0 {
		t.Errorf("nothing was changed, and there is %q and %d changes", got.header.Get("Set-Cookie"), len(changes))
	}
	if got := g.want("/tv/choose?!", 200, `"kids"`); got.header.Get("Set-Cookie") != "profile=kids!" {
		t.Errorf("the cookie is %q", got.header.Get("Set-Cookie"))
	}
	h := await.Value(t, "the change", changes)
	if h.Minted.Profile != "grown-up" || h.Minted.Origin != "gateway" || h.Now.Profile != "kids" || h.Now.Origin != "members@1.2.0" || h.Now.Customer != "ann" || len(h.Changes) != 1 || h.Changes[0].By != "members@1.2.0" {
		t.Errorf("%+v", h)
	}
	lines := g.requests(2)
	if got := fmt.Sprint(lines[1]["passport_changes"]); lines[0]["passport_changes"] != nil || got != "[map[by:members@1.2.0 fields:[profile]]]" {
		t.Errorf("the log says %v", lines)
	}
}

// Two conversations of one device request change the passport, and neither knows of
// the other: what differs is merged, and the log tells whose value is kept of what
// both have set.
func TestChangesOfTwoConversationsAreMerged(t *testing.T) {
	now := make(chan passport.History, 1)
	g := start(t, gateway.Config{
		Mint: func(http.ResponseWriter, *http.Request) (passport.Passport, error) {
			return passport.Passport{Customer: "ann", Profile: "grown-up"}, nil
		},
		OnPassport: func(_ http.ResponseWriter, _ *http.Request, h passport.History) { now <- h },
	})
	edge := startMembers(t, g.keys)
	g.offer("tv@2.0.0", adapter.JSON(func(r *http.Request) (any, error) {
		one, other := edge.Converse(r.Context()), edge.Converse(r.Context())
		defer one.Close()
		defer other.Close()
		for _, conv := range []*nodelayer.Conversation{one, other} { // both begin with what was minted
			if _, err := nodelayer.Call[string](r.Context(), conv, "members.look", nil); err != nil {
				return nil, err
			}
		}
		if _, err := nodelayer.Call[string](r.Context(), one, "members.choose", map[string]string{"profile": "kids"}); err != nil {
			return nil, err
		}
		if _, err := nodelayer.Call[string](r.Context(), other, "members.upgrade", map[string]string{"profile": "guest"}); err != nil {
			return nil, err
		}
		return nodelayer.Ask[string](r.Context(), edge, "members.look", nil)
	}))
	g.want("/tv/home", 200, `"guest"`)
	h := await.Value(t, "the change", now)
	if h.Now.Profile != "guest" || h.Now.Plan != "premium" || len(h.Changes) != 2 || len(h.Conflicts) != 1 || h.Conflicts[0].Field != "profile" {
		t.Errorf("%+v", h)
	}
	if got := fmt.Sprint(g.requests(1)[0]["passport_conflicts"]); got != "[map[field:profile kept:members@1.2.0 lost:members@1.2.0]]" {
		t.Errorf("the log says %s", got)
	}
}

// startMembers is an edge with a service that changes the passport, as a node
// reaches it.
func startMembers(t testing.TB, keys *passport.Keyring) *nodelayer.Edge {
	t.Helper()
	type in struct {
		Profile string `json:"profile"`
	}
	s, err := edgelayer.New(edgelayer.Config{Keys: keys, Services: []edgelayer.Service{{Name: "members", Version: "1.2.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("look", func(ctx context.Context, _ in) (string, error) {
			p, err := edgelayer.Passport(ctx)
			return p.Profile, err
		}),
		edgelayer.NewMethod("choose", func(ctx context.Context, in in) (string, error) {
			return in.Profile, edgelayer.ChangePassport(ctx, func(p *passport.Passport) { p.Profile = in.Profile })
		}),
		edgelayer.NewMethod("upgrade", func(ctx context.Context, in in) (string, error) {
			return in.Profile, edgelayer.ChangePassport(ctx, func(p *passport.Passport) { p.Profile, p.Plan = in.Profile, "premium" })
		}),
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	edge, err := nodelayer.Dial(await.Context(t), nodelayer.Config{Edges: []string{serving.Start(t, s.Serve, s.Close)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = edge.Close() })
	return edge
}

// handsBack offers an adapter, which is none of ours, that hands back what f makes of
// the passport it is given.
func (g *site) handsBack(adapterVersion string, f func(sealed []byte) []byte) {
	g.t.Helper()
	name, version, _ := strings.Cut(adapterVersion, "@")
	g.byHand(protocol.JSON, fmt.Sprintf(`{"offers":{%q:%q}}`, name, version), rsocket.Handler{
		Response: func(_ context.Context, p rsocket.Payload) (rsocket.Payload, error) {
			md, err := protocol.ParseMetadata(p.Metadata)
			if err != nil {
				return rsocket.Payload{}, err
			}
			md = protocol.Metadata{Passport: f(md.Passport)}
			return rsocket.Payload{Metadata: md.Append(nil), Data: []byte(`{"status":200,"header":{"X-Adapter":["here"]}}`)}, nil
		},
	})
	await.Until(g.t, adapterVersion+" to be here", func() bool { return len(g.Adapters()[name]) > 0 })
}

func TestAPassportThatIsNotGoodIsNotTakenBack(t *testing.T) {
	mallory := func(keys *passport.Keyring, from []byte, expires time.Time) []byte {
		b, err := keys.Seal(passport.Passport{Customer: "mallory", Level: passport.Authenticated, Expires: expires})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	change := func(keys *passport.Keyring, sealed []byte) []byte {
		c, err := keys.Change(sealed, "members@1.2.0", time.Now(), func(p *passport.Passport) { p.Plan = "stolen" })
		if err != nil {
			t.Fatal(err)
		}
		return c.Sealed
	}
	strangers := newKeys(t)
	for what, forge := range map[string]func(g *site, sealed []byte) []byte{
		"forged":  func(_ *site, sealed []byte) []byte { return mallory(strangers, sealed, time.Now().Add(time.Hour)) },
		"expired": func(g *site, sealed []byte) []byte { return mallory(g.keys, sealed, time.Now().Add(-time.Hour)) },
		"garbage": func(*site, []byte) []byte { return []byte("\xdd\xff\xff\xff\xff") },
		"a forged change": func(g *site, sealed []byte) []byte {
			theirs := mallory(strangers, sealed, time.Now().Add(time.Hour))
			return append(sealed, change(strangers, theirs)[len(theirs):]...)
		},
		"a change of another passport": func(g *site, sealed []byte) []byte {
			other := mallory(g.keys, sealed, time.Now().Add(time.Hour))
			return append(sealed, change(g.keys, other)[len(other):]...)
		},
		// Genuine, and that of another request: it would sign the device in as somebody else.
		"another request's": func(g *site, sealed []byte) []byte { return mallory(g.keys, sealed, time.Now().Add(time.Hour)) },
		"another request's change": func(g *site, sealed []byte) []byte {
			return change(g.keys, mallory(g.keys, sealed, time.Now().Add(time.Hour)))
		},
	} {
		t.Run(what, func(t *testing.T) {
			g := start(t, gateway.Config{OnPassport: func(http.ResponseWriter, *http.Request, passport.History) {
				t.Error("OnPassport was called")
			}})
			g.handsBack("tv@2.0.0", func(sealed []byte) []byte { return forge(g, sealed) })
			got := g.want("/tv/home", 500, `{"error":{"code":"internal","message":"adapter tv@2.0.0 handed back a passport that is not good: passport: …`)
			if got.header.Get("X-Adapter") != "" {
				t.Errorf("the headers are %v", got.header)
			}
		})
	}
}

// One that was handed back as it was tells of nothing.
func TestAPassportThatNobodyHasChangedIsNoChange(t *testing.T) {
	g := start(t, gateway.Config{OnPassport: func(http.ResponseWriter, *http.Request, passport.History) {
		t.Error("OnPassport was called")
	}})
	g.handsBack("tv@2.0.0", func(sealed []byte) []byte { return sealed })
	g.want("/tv/home", 200, "")
}

func TestTheTraceIsTheDevicesIfItIsValid(t *testing.T) {
	traces := make(chan string, 1)
	g := start(t, gateway.Config{})
	g.offer("tv@2.0.0", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { traces <- protocol.Traceparent(r.Context()) }))
	ask := func(header string) string {
		r := g.request(await.Context(t), "GET", "/tv/home", nil)
		if header != "" {
			r.Header.Set("Traceparent", header)
		}
		g.must(r).want(t, "/tv/home", 200, "")
		return <-traces
	}
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	if got := ask(trace); got != trace {
		t.Errorf("got %q", got)
	}
	none, bad := ask(""), ask("00-secret-01")
	if !protocol.ValidTraceparent(none) || !protocol.ValidTraceparent(bad) || none == bad || none == trace {
		t.Errorf("new ones are %q and %q", none, bad)
	}
	if lines := g.requests(3); lines[0]["trace"] != trace[3:35] || lines[1]["trace"] != none[3:35] || lines[2]["trace"] != bad[3:35] {
		t.Errorf("the log says %v", lines)
	}
}
