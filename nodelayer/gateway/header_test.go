package gateway_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/nodelayer/adapter"
	"warmline.dev/nodelayer/gateway"
)

func TestOnlyHeadersAboutTheContentAreForwarded(t *testing.T) {
	g := start(t, gateway.Config{})
	g.offer("tv@2.0.0", adapter.JSON(func(r *http.Request) (any, error) { return r.Header, nil }))
	r := g.request(await.Context(t), "GET", "/tv/home", nil)
	forwarded := map[string][]string{
		"Accept": {"a/b", "c/d"}, "Accept-Language": {"sv"}, "Content-Type": {"x/y"}, "If-Match": {"1"},
		"If-Modified-Since": {"2"}, "If-None-Match": {"3"}, "User-Agent": {"a device"},
	}
	for name, values := range forwarded {
		r.Header[name] = values
	}
	for _, name := range []string{"Cookie", "Authorization", "Proxy-Authorization", "X-Forwarded-For", "Forwarded", "Referer", "Origin", "Te", "Warmline-Adapter", "Traceparent"} {
		r.Header.Set(name, "secret")
	}
	want, _ := json.Marshal(forwarded)
	g.must(r).want(t, "the adapter's headers", 200, string(want))
}

func TestOnlyHeadersAboutTheContentComeBack(t *testing.T) {
	g := start(t, gateway.Config{})
	taken := map[string]string{"Content-Type": "x/y", "Etag": `"1"`, "Cache-Control": "max-age=3", "Location": "/tv/there", "Vary": "Accept", "X-Own": "yes"}
	g.offer("tv@2.0.0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range taken {
			w.Header().Set(name, value)
		}
		for _, name := range []string{"Set-Cookie", "Connection", "Keep-Alive", "Proxy-Authenticate", "TE", "Trailer", "Upgrade"} {
			w.Header().Set(name, "X-Own")
		}
		w.Header()["set-cookie"] = []string{"in=small"}
		w.Header()[http.TrailerPrefix+"Set-Cookie"] = []string{"behind=it"}
		w.Header().Set("Transfer-Encoding", "gzip")
		w.Header().Set("Content-Length", "99999")
		w.Header().Set("Warmline-Adapter", "another@9.9.9")
		w.WriteHeader(201)
		_, _ = w.Write([]byte("made"))
	}))
	response, err := g.front.Client().Do(g.request(await.Context(t), "GET", "/tv/home", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if response.StatusCode != 201 || string(body) != "made" || err != nil {
		t.Errorf("got %s %s %v", response.Status, body, err)
	}
	for name, value := range taken {
		if got := response.Header.Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	if got := response.Header.Get("Warmline-Adapter"); got != "tv@2.0.0" {
		t.Errorf("Warmline-Adapter is %q", got)
	}
	for _, name := range []string{"Set-Cookie", "Connection", "Keep-Alive", "Proxy-Authenticate", "Te", "Trailer", "Upgrade"} {
		if got := response.Header[name]; got != nil {
			t.Errorf("%s is %q", name, got)
		}
	}
	if len(response.Trailer) > 0 || len(response.TransferEncoding) > 0 || response.ContentLength != 4 {
		t.Errorf("trailer %v, transfer encoding %v, length %d", response.Trailer, response.TransferEncoding, response.ContentLength)
	}
}
