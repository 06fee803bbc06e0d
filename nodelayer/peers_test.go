package nodelayer_test

import (
	"crypto/tls"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/internal/certs"
	"warmline.dev/nodelayer"
	"warmline.dev/protocol/peers"
	"warmline.dev/protocol/rsocket"
)

// guarded is an edge at a tls or wss address, of peers with a certificate or a token
// that is "token of" and their name.
func guarded(t *testing.T, scheme string, names ...string) (*edge, *peers.Peers) {
	t.Helper()
	s, of := guardedServer(t, names...)
	cfg := certs.Server()
	cfg.ClientCAs, cfg.ClientAuth = certs.Known().Pool, tls.VerifyClientCertIfGiven
	l, err := rsocket.ListenTLS(t.Context(), scheme+"://127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-ended
	})
	return &edge{s, scheme + "://" + l.Addr().String()}, of
}

func guardedServer(t *testing.T, names ...string) (*edgelayer.Server, *peers.Peers) {
	t.Helper()
	of := peersNamed(t, names...)
	s, err := edgelayer.New(edgelayer.Config{Peers: of})
	if err != nil {
		t.Fatal(err)
	}
	return s, of
}

func peersNamed(t *testing.T, names ...string) *peers.Peers {
	t.Helper()
	var all []peers.Peer
	for _, name := range names {
		all = append(all, peers.Peer{Name: name, Certificates: []string{name + ".example"}, Tokens: []peers.Hash{peers.HashToken("token of " + name)}, Operates: true})
	}
	of, err := peers.New(all...)
	if err != nil {
		t.Fatal(err)
	}
	return of
}

func showing(name string) func() *tls.Config {
	return func() *tls.Config {
		cfg := certs.Client()
		cfg.Certificates = []tls.Certificate{certs.Known().Issue(certs.Request{DNS: []string{name}, Lasts: time.Hour})}
		return cfg
	}
}

func withToken(token string) func() string { return func() string { return token } }

func TestANodeProvesWhoItIs(t *testing.T) {
	for _, scheme := range []string{"tls", "wss"} {
		e, _ := guarded(t, scheme, "nodes", "batch")
		for what, c := range map[string]nodelayer.Credentials{
			"a certificate": {TLS: showing("nodes.example")},
			"a token":       {TLS: certs.Client, Token: withToken("token of batch")},
			"both":          {TLS: showing("batch.example"), Token: withToken("token of batch")},
		} {
			line := dialWith(t, nodelayer.Config{Edges: []string{e.addr}, Credentials: c})
			time.Sleep(time.Millisecond)
			if _, err := nodelayer.Ask[any](t.Context(), line, "edge.stats", nil); err != nil {
				t.Errorf("%s, %s: %v", scheme, what, err)
			}
		}
		for what, c := range map[string]nodelayer.Credentials{
			"nothing":         {TLS: certs.Client},
			"no token, today": {TLS: certs.Client, Token: withToken("")},
			"a name":          {TLS: showing("web.example")},
			"a wrong token":   {TLS: certs.Client, Token: withToken("token of web")},
			"of two":          {TLS: showing("nodes.example"), Token: withToken("token of batch")},
		} {
			_, err := nodelayer.Dial(await.Context(t), nodelayer.Config{Edges: []string{e.addr}, Credentials: c})
			if refused, ok := errors.AsType[*nodelayer.RefusedError](err); !ok || strings.Contains(refused.Reason, "token of web") {
				t.Errorf("%s, %s: %v", scheme, what, err)
			}
		}
	}
}

// A token is not sent where others could read it.
func TestATokenIsNotSentInClear(t *testing.T) {
	for _, address := range []string{"tcp://192.0.2.1:7070", "ws://192.0.2.1:7070/", "tcp://edges.example:7070", "tcp://127.0.0.1.example:7070", "ws://[2001:db8::1]:7070/"} {
		_, err := nodelayer.Dial(await.Context(t), nodelayer.Config{Edges: []string{address}, Credentials: nodelayer.Credentials{Token: withToken("hidden")}})
		if err == nil || !strings.Contains(err.Error(), "expected tls:// or wss://") || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", address, err)
		}
	}
	s, _ := guardedServer(t, "nodes")
	l := listen(t, anyPort)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-ended
	})
	line := dialWith(t, nodelayer.Config{Edges: []string{"tcp://" + l.Addr().String()}, Credentials: nodelayer.Credentials{Token: withToken("token of nodes")}})
	if line.Lines() != 1 {
		t.Error("on loopback nobody else reads it")
	}
}

// The next line has the next token and the next certificate, and is there before the
// last one goes: what is replaced meanwhile costs no call, with one edge alone.
func TestCredentialsAreReplacedWhileCallsAreMade(t *testing.T) {
	e, of := guarded(t, "tls", "old")
	var who atomic.Pointer[string]
	var dialled atomic.Int64
	name := "old"
	who.Store(&name)
	line := dialWith(t, nodelayer.Config{Edges: []string{e.addr}, Credentials: nodelayer.Credentials{
		TLS:   func() *tls.Config { return showing(*who.Load() + ".example")() },
		Token: func() string { dialled.Add(1); return "token of " + *who.Load() },
	}})
	stop, stopped := make(chan struct{}), make(chan struct{})
	defer func() {
		close(stop)
		<-stopped
	}()
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := nodelayer.Ask[any](t.Context(), line, "edge.stats", nil); err != nil {
				t.Errorf("a call failed: %v", err)
			}
		}
	}()
	of.Replace(peersNamed(t, "old", "new")) // first the servers know both,
	e.PeersChanged()
	next := "new"
	who.Store(&next)                 // then the nodes have the new one,
	of.Replace(peersNamed(t, "new")) // then the old one goes.
	e.PeersChanged()
	await.Until(t, "another line", func() bool { return dialled.Load() == 2 && line.Lines() == 1 })
	await.Until(t, "the line of the old one to go", func() bool { return e.Stats().Lines == 1 })
	if got := of.Stats(); got != (peers.Stats{Unauthenticated: 1}) { // the line that was closed, and none that was dialled
		t.Errorf("%+v", got)
	}
}

// One that has nothing better keeps its line as long as it may, and has none then.
func TestCredentialsThatAreRetired(t *testing.T) {
	e, of := guarded(t, "tls", "old")
	line := dialWith(t, nodelayer.Config{Edges: []string{e.addr}, Credentials: nodelayer.Credentials{TLS: certs.Client, Token: withToken("token of old")}})
	of.Replace(peersNamed(t, "new"))
	e.PeersChanged()
	await.Until(t, "the line to go", func() bool { return line.Lines() == 0 && e.Stats().Lines == 0 })
	of.Replace(peersNamed(t, "old"))
	await.Until(t, "it to be back", func() bool { return line.Lines() == 1 })
}
