package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/nodelayer"
	"warmline.dev/nodelayer/adapter"
	"warmline.dev/nodelayer/gateway"
	"warmline.dev/passport"
	"warmline.dev/protocol/peers"
)

// offerAs serves an adapter with a token. It is over when the test is.
func (g *site) offerAs(token, adapterVersion string, h http.Handler) error {
	g.t.Helper()
	name, version, _ := strings.Cut(adapterVersion, "@")
	s, err := adapter.Serve(await.Context(g.t), adapter.Config{
		Name: name, Version: version, Handler: h, Gateways: []string{g.addr},
		Credentials: nodelayer.Credentials{Token: func() string { return token }},
	})
	if err == nil {
		g.t.Cleanup(func() { _ = s.Shutdown(ended()) })
	}
	return err
}

func of(t testing.TB, all ...peers.Peer) *peers.Peers {
	t.Helper()
	for i, p := range all {
		all[i].Tokens = []peers.Hash{peers.HashToken(p.Name)}
	}
	p, err := peers.New(all...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAnAdapterIsOfferedByWhoMay(t *testing.T) {
	who := of(t, peers.Peer{Name: "tv-nodes", Offers: []string{"tv"}}, peers.Peer{Name: "all", Offers: []string{"*"}}, peers.Peer{Name: "batch", Calls: []string{"*"}})
	g := start(t, gateway.Config{Peers: who})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("here " + r.URL.Path)) })
	for _, tt := range []struct{ token, adapter, want string }{
		{"tv-nodes", "tv@1.0.0", ""},
		{"all", "web@1.0.0", ""},
		{"tv-nodes", "web@2.0.0", "peer tv-nodes may not offer web; it may offer tv"},
		{"batch", "tv@2.0.0", "peer batch may not offer tv; it may offer nothing"},
		{"", "tv@2.0.0", "the line is not authenticated: expected a client certificate"},
		{"warmline_x", "tv@2.0.0", "the token is no peer's"},
	} {
		err := g.offerAs(tt.token, tt.adapter, h)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), "refused the line (REJECTED_SETUP): "+tt.want)) {
			t.Errorf("%s, %s: %v, want %q", tt.token, tt.adapter, err, tt.want)
		}
	}
	g.want("/tv/x", http.StatusOK, "here /x")
	g.want("/web@1/x", http.StatusOK, "here /x")
	g.want("/web@2/x", http.StatusNotFound, "…no version of…")
	if got := who.Stats(); got != (peers.Stats{Unauthenticated: 2, Forbidden: 2}) {
		t.Errorf("%+v", got)
	}
	if got := g.log.String(); strings.Contains(got, "warmline_x") || strings.Count(got, "line refused") != 4 {
		t.Error(got)
	}
}

// An adapter whose peer may not offer it any more answers what it has been asked.
func TestAnAdapterIsLetGoWhenPeersChange(t *testing.T) {
	who := of(t, peers.Peer{Name: "tv-nodes", Offers: []string{"tv", "web"}}, peers.Peer{Name: "old", Offers: []string{"tv"}})
	g := start(t, gateway.Config{Peers: who})
	entered, door := make(chan struct{}), make(chan struct{})
	wait := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-door
		_, _ = w.Write([]byte("at last"))
	})
	for _, err := range []error{g.offerAs("tv-nodes", "web@1.0.0", wait), g.offerAs("tv-nodes", "tv@1.0.0", http.NotFoundHandler()), g.offerAs("old", "tv@2.0.0", http.NotFoundHandler())} {
		if err != nil {
			t.Fatal(err)
		}
	}
	g.PeersChanged() // and nothing has
	if got := g.Adapters(); len(got["tv"]) != 2 || len(got["web"]) != 1 {
		t.Error(got)
	}
	answer := g.later("/web/x")
	await.Value(t, "the request to arrive", entered)
	who.Replace(of(t, peers.Peer{Name: "tv-nodes", Offers: []string{"tv"}}))
	g.PeersChanged()
	await.Until(t, "those who may not to be left out", func() bool { got := g.Adapters(); return len(got) == 1 && len(got["tv"]) == 1 })
	select {
	case a := <-answer:
		t.Errorf("answered %+v", a)
	case <-time.After(10 * time.Millisecond):
	}
	close(door)
	if a := await.Value(t, "the answer", answer); a.body != "at last" {
		t.Errorf("%+v", a)
	}
	if got := g.log.String(); !strings.Contains(got, "peer tv-nodes may not offer web; it may offer tv") || !strings.Contains(got, "wrong, or retired") {
		t.Error(got)
	}
}

// From an adapter whose peer may not change passports no change is taken back, also
// one that a service has signed.
func TestAnAdapterWhosePeerMayNotChangePassports(t *testing.T) {
	who := of(t, peers.Peer{Name: "readers", Offers: []string{"readers"}}, peers.Peer{Name: "nodes", Offers: []string{"nodes"}, Changes: true})
	heard := 0
	g := start(t, gateway.Config{Peers: who, OnPassport: func(http.ResponseWriter, *http.Request, passport.History) { heard++ }})
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/change" {
			return
		}
		carrier := passport.FromContext(r.Context())
		c, err := g.keys.Change(carrier.Sealed(), "members@1.2.0", time.Now(), func(p *passport.Passport) { p.Plan = "premium" })
		if err == nil {
			err = carrier.Take(c.Sealed)
		}
		if err != nil {
			t.Error(err)
		}
	})
	for _, name := range []string{"readers", "nodes"} {
		if err := g.offerAs(name, name+"@1.0.0", h); err != nil {
			t.Fatal(err)
		}
	}
	g.want("/readers/home", http.StatusOK, "")
	g.want("/readers/change", http.StatusInternalServerError, `{"error":{"code":"internal","message":"adapter readers@1.0.0 handed back a passport that is not good: peer readers may not change passports"}}`)
	if heard != 0 || who.Stats().Forbidden != 1 {
		t.Errorf("OnPassport was called %d times, %+v", heard, who.Stats())
	}
	g.want("/nodes/change", http.StatusOK, "")
	if heard != 1 {
		t.Errorf("OnPassport was called %d times", heard)
	}
}
