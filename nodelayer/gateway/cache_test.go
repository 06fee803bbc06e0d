package gateway_test

import (
	"net/http"
	"testing"

	"warmline.dev/nodelayer/gateway"
	"warmline.dev/passport"
)

// An adapter does not know that the gateway sets a cookie. A shared cache that keeps the
// answer would sign others in.
func TestAnAnswerThatSetsACookieIsNobodysToKeep(t *testing.T) {
	g := start(t, gateway.Config{Mint: func(w http.ResponseWriter, r *http.Request) (passport.Passport, error) {
		if r.URL.RawQuery != "" {
			http.SetCookie(w, &http.Cookie{Name: "who", Value: "ann"})
		}
		return passport.Passport{}, nil
	}})
	caching := map[string]string{"Cache-Control": "public, max-age=60", "Cdn-Cache-Control": "max-age=60", "Surrogate-Control": "max-age=60", "Some-Cdn-Cache-Control": "max-age=60"}
	g.offer("tv@2.0.0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range caching {
			w.Header().Set(name, value)
		}
	}))
	for name, value := range caching {
		if got := g.get("/tv/home").header.Get(name); got != value {
			t.Errorf("without a cookie: %s is %q, want %q", name, got, value)
		}
	}
	got := g.get("/tv/home?cookie").header
	if got.Get("Set-Cookie") == "" || got.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", got)
	}
	for name := range caching {
		if name != "Cache-Control" && got[name] != nil {
			t.Errorf("%s is %q", name, got[name])
		}
	}
}
