package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/certs"
	"warmline.dev/nodelayer/gateway"
	"warmline.dev/passport"
	"warmline.dev/protocol/peers"
	"warmline.dev/protocol/rsocket"
)

// At an edge and a gateway that ask who dials: a token, over TLS.
func TestAToken(t *testing.T) {
	who, err := peers.New(peers.Peer{Name: "lite", Tokens: []peers.Hash{peers.HashToken("warmline_lite")}, Calls: []string{"*"}})
	check1(t, err)
	edge, err := edgelayer.New(edgelayer.Config{Peers: who})
	check1(t, err)
	keys, err := passport.NewKeyring(passport.NewKey("test"))
	check1(t, err)
	gw, err := gateway.New(gateway.Config{Keys: keys, Peers: who})
	check1(t, err)
	at := func(serve func(net.Listener) error, closeIt func() error) string {
		l, err := rsocket.ListenTLS(t.Context(), "tls://127.0.0.1:0", certs.Server())
		check1(t, err)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = serve(l)
		}()
		t.Cleanup(func() {
			_ = closeIt()
			<-ended
		})
		return "tls://" + l.Addr().String()
	}
	edgeAt, lines := at(edge.Serve, edge.Close), at(gw.ServeLines, gw.Close)
	folder := t.TempDir()
	for name, text := range map[string]string{"ca.pem": string(certs.Known().PEM()), "token": "warmline_lite\n", "wrong": "warmline_x\n"} {
		check1(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	args := []string{"-edge", edgeAt, "-gateway", lines, "-want", "edge=^1"}
	ca := []string{"-ca", filepath.Join(folder, "ca.pem")}

	// It wants services that this edge has not got: what it is told is about them, so
	// it was let in.
	for want, more := range map[string][]string{
		"wants catalogue ^1.4, nothing of that name is offered": append(ca[:2:2], "-token", filepath.Join(folder, "token")),
		"the token is no peer's":                                append(ca[:2:2], "-token", filepath.Join(folder, "wrong")),
		"the line is not authenticated":                         ca,
		"unknown authority":                                     nil,
		"no-such":                                               {"-token", "no-such"},
		"expected certificates in PEM":                          {"-ca", filepath.Join(folder, "token")},
	} {
		var out, errs buffer
		if code := run(context.Background(), append(args, more...), &out, &errs); code != 1 || !strings.Contains(errs.String(), want) {
			t.Errorf("%q: exit %d, %s", want, code, errs.String())
		}
	}
}
