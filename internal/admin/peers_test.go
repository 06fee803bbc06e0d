package admin_test

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"time"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/admin"
	"warmline.dev/internal/certs"
	"warmline.dev/protocol/peers"
)

func operators(t *testing.T) *peers.Peers {
	t.Helper()
	p, err := peers.New(
		peers.Peer{Name: "staff", Certificates: []string{"staff.example"}, Tokens: []peers.Hash{peers.HashToken("warmline_staff")}, Operates: true},
		peers.Peer{Name: "nodes", Certificates: []string{"nodes.example"}, Tokens: []peers.Hash{peers.HashToken("warmline_nodes")}, Calls: []string{"*"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhoOperatesMayDrop(t *testing.T) {
	who := operators(t)
	p := start(t, admin.Edge{Peers: who})
	for shown, want := range map[string]int{
		"Bearer warmline_staff":  http.StatusOK,
		"bearer  warmline_staff": http.StatusOK,
		"Bearer warmline_nodes":  http.StatusForbidden,
		"Bearer warmline_nobody": http.StatusUnauthorized,
		"Bearer ":                http.StatusUnauthorized,
		"Bearer":                 http.StatusUnauthorized,
		"":                       http.StatusUnauthorized,
		"Basic warmline_staff":   http.StatusUnauthorized,
		"warmline_staff":         http.StatusUnauthorized,
	} {
		status, header, text := p.ask("POST /invalidate", `{"source":"catalogue","key":"17"}`, "Content-Type", "application/json", "Authorization", shown)
		if status != want || (header.Get("WWW-Authenticate") != "") != (want == http.StatusUnauthorized) || strings.Contains(text, "warmline_") {
			t.Errorf("%q: %d %q", shown, status, text)
		}
		if got := p.dropped(); (len(got) == 1) != (want == http.StatusOK) {
			t.Errorf("%q: dropped %v", shown, got)
		}
	}
	if got := who.Stats(); got != (peers.Stats{Unauthenticated: 6, Forbidden: 1}) {
		t.Errorf("%+v", got)
	}
	if got := p.log.String(); strings.Count(got, "request refused") != 7 || strings.Contains(got, "warmline_") {
		t.Error(got)
	}
	p.want("GET /healthz", http.StatusOK, "ok\n") // figures and health are for everybody
	if status, _, _ := p.ask("GET /metrics", ""); status != http.StatusOK {
		t.Error(status)
	}
}

func TestThePortOverTLS(t *testing.T) {
	cfg := certs.Server()
	cfg.ClientCAs, cfg.ClientAuth = certs.Known().Pool, tls.VerifyClientCertIfGiven
	p := startAt(t, admin.Config{TLS: cfg}, admin.Edge{Peers: operators(t)})
	if !strings.HasPrefix(p.URL(), "https://127.0.0.1:") {
		t.Fatal(p.URL())
	}
	i := warm.Invalidation{Source: "catalogue", Key: "17"}
	by := func(name string) *tls.Config {
		cfg := certs.Client()
		cfg.Certificates = []tls.Certificate{certs.Known().Issue(certs.Request{DNS: []string{name}, Lasts: time.Hour})}
		return cfg
	}
	for want, c := range map[string]admin.Client{
		"":                     {TLS: by("staff.example")},
		" ":                    {TLS: certs.Client(), Token: "warmline_staff"},
		"403 Forbidden: peer":  {TLS: by("nodes.example")},
		"401 Unauthorized":     {TLS: certs.Client()},
		"unknown authority":    {},
		"401 Unauthorized: ex": {TLS: by("staff.example"), Token: "warmline_nodes"}, // of two
	} {
		_, err := c.Invalidate(t.Context(), p.URL(), i)
		if want = strings.TrimSpace(want); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// A token is not sent where others could read it.
func TestATokenIsNotSentInClear(t *testing.T) {
	for _, at := range []string{"http://192.0.2.1:7071", "http://edge.example:7071", "http://127.0.0.1.example:7071"} {
		_, err := admin.Client{Token: "warmline_staff"}.Invalidate(t.Context(), at, warm.Invalidation{Source: "catalogue", All: true})
		if err == nil || !strings.Contains(err.Error(), "expected https://") || strings.Contains(err.Error(), "warmline_staff") {
			t.Errorf("%s: %v", at, err)
		}
	}
}
