package gateway_test

import (
	"net/http"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/nodelayer/gateway"
	"warmline.dev/passport"
)

// What kind of device is asking is in every line of the log, whatever becomes of the
// request, and in the passport, whoever it was minted for.
func TestTheKindOfDeviceIsNeverMissing(t *testing.T) {
	kinds := make(chan string, 1)
	g := start(t, gateway.Config{Mint: func(http.ResponseWriter, *http.Request) (passport.Passport, error) {
		return passport.Passport{Device: "as the cookie says"}, nil
	}})
	g.offer("tv@2.0.0", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		p, err := passport.Peek(passport.FromContext(r.Context()).Sealed())
		if err != nil {
			t.Error(err)
		}
		kinds <- p.Device
	}))
	asks := []struct{ path, esn, agent, kind string }{
		{"/tv/home", "WLTV-SAM-2021-Q80-7F3A09C41B2E", "", "tv"},
		{"/tv/home", "", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1", "phone"},
		{"/tv/home", "nonsense", "who knows", "other"},
		{"/tv/home", "", "", "other"},
		{"/radio/home", "WLTV-SAM-2021-Q80-7F3A09C41B2E", "", "tv"},
		{"/tv@oops/home", "", "", "other"},
	}
	for _, ask := range asks {
		r := g.request(await.Context(t), "GET", ask.path, nil)
		r.Header["Esn"], r.Header["User-Agent"] = []string{ask.esn}, []string{ask.agent}
		if status := g.must(r).status; status == http.StatusOK {
			if kind := <-kinds; kind != ask.kind {
				t.Errorf("%+v: the passport says %q", ask, kind)
			}
		}
	}
	for i, line := range g.requests(len(asks)) {
		if line["device"] != asks[i].kind || line["device_type"] == nil || line["device_type"] == "" {
			t.Errorf("%+v: the log says %v, %v", asks[i], line["device"], line["device_type"])
		}
	}
}
