package gateway_test

import (
	"context"
	"net/http"
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
)

func TestWhatTheGatewayMints(t *testing.T) {
	byCookie := func(r *http.Request) (passport.Passport, error) {
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
		"by default":  {gateway.Config{}, passport.Passport{Origin: "gateway"}, 5 * time.Minute},
		"by the mint": {gateway.Config{Name: "east", Mint: byCookie, PassportTTL: time.Hour}, passport.Passport{Customer: "ann", Profile: "kids", Level: passport.Recognised, Origin: "east"}, time.Hour},
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
			if got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

// The whole way: a service at an edge changes the passport, and it comes up to
// the gateway, which may tell the device.
func TestOnPassportHearsOfAChange(t *testing.T) {
	type heard struct{ before, after passport.Passport }
	changes := make(chan heard, 10)
	g := start(t, gateway.Config{
		Mint: func(*http.Request) (passport.Passport, error) {
			return passport.Passport{Customer: "ann", Profile: "grown-up"}, nil
		},
		OnPassport: func(w http.ResponseWriter, r *http.Request, before, after passport.Passport) {
			changes <- heard{before, after}
			http.SetCookie(w, &http.Cookie{Name: "profile", Value: after.Profile + r.URL.RawQuery})
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
	change := await.Value(t, "the change", changes)
	want := change.before
	want.Profile, want.Origin = "kids", "members@1.2.0"
	want.Issued, want.Expires = want.Issued.UTC().Truncate(time.Millisecond), want.Expires.UTC().Truncate(time.Millisecond)
	if change.before.Profile != "grown-up" || change.before.Origin != "gateway" || change.after != want {
		t.Errorf("before %+v\n after %+v", change.before, change.after)
	}
	if lines := g.requests(2); lines[0]["passport_changed"] != nil || lines[1]["passport_changed"] != true {
		t.Errorf("the log says %v", lines)
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

func TestAPassportThatIsNotGoodIsNotTakenBack(t *testing.T) {
	seal := func(keys *passport.Keyring, expires time.Time) []byte {
		b, err := keys.Seal(passport.Passport{Customer: "mallory", Level: passport.Authenticated, Expires: expires})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for what, forge := range map[string]func(g *site) []byte{
		"forged":  func(*site) []byte { return seal(newKeys(t), time.Now().Add(time.Hour)) },
		"expired": func(g *site) []byte { return seal(g.keys, time.Now().Add(-time.Hour)) },
		"garbage": func(*site) []byte { return []byte("\xdd\xff\xff\xff\xff") },
	} {
		t.Run(what, func(t *testing.T) {
			g := start(t, gateway.Config{OnPassport: func(http.ResponseWriter, *http.Request, passport.Passport, passport.Passport) {
				t.Error("OnPassport was called")
			}})
			g.offer("tv@2.0.0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				passport.FromContext(r.Context()).Replace(forge(g))
				w.Header().Set("X-Adapter", "here")
				_, _ = w.Write([]byte("welcome, mallory"))
			}))
			got := g.want("/tv/home", 500, `{"error":{"code":"internal","message":"adapter tv@2.0.0 handed back a passport that is not good: passport: …`)
			if got.header.Get("X-Adapter") != "" {
				t.Errorf("the headers are %v", got.header)
			}
		})
	}
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
