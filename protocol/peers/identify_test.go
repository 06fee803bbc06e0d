package peers_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/certs"
	"warmline.dev/internal/wildcard"
	"warmline.dev/protocol"
	"warmline.dev/protocol/peers"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/composite"
	"warmline.dev/protocol/rsocket/frame"
)

const (
	batchToken   = "warmline_of-batch"
	retiredToken = "warmline_of-batch-last-year"
	staffToken   = "warmline_of-staff"
)

func fleet(t testing.TB) *peers.Peers {
	t.Helper()
	p, err := peers.New(
		peers.Peer{Name: "tv-nodes", Certificates: []string{"tv.nodes.example"}, Offers: []string{"tv"}, Calls: []string{"*"}},
		peers.Peer{Name: "edges", Certificates: []string{"spiffe://example/edge", "edge.example"}, HandsOver: true},
		peers.Peer{Name: "batch", Tokens: []peers.Hash{peers.HashToken(batchToken), peers.HashToken(retiredToken)}, Calls: []string{"catalogue", "ratings"}},
		peers.Peer{Name: "staff", Certificates: []string{"staff.example"}, Tokens: []peers.Hash{peers.HashToken(staffToken)}, Operates: true},
	)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// door is a server that says on a line who it is of.
type door struct {
	t    *testing.T
	addr string
}

// open listens. Client is how certificates of clients are looked at.
func open(t *testing.T, address string, p *peers.Peers, client tls.ClientAuthType) *door {
	t.Helper()
	cfg := certs.Server()
	cfg.ClientCAs, cfg.ClientAuth = certs.Known().Pool, client
	l, err := rsocket.ListenTLS(t.Context(), address, cfg)
	if strings.HasPrefix(address, "tcp") {
		l, err = rsocket.Listen(t.Context(), address)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := rsocket.NewServer(func(_ context.Context, c *rsocket.Conn) (rsocket.Handler, error) {
		peer, refusal := p.Identify(c.Setup(), c.TLS())
		if refusal != nil {
			return rsocket.Handler{}, &rsocket.Error{Code: frame.CodeRejectedSetup, Message: refusal.JSON()}
		}
		return rsocket.Handler{Response: func(context.Context, rsocket.Payload) (rsocket.Payload, error) {
			return rsocket.Payload{Data: []byte(peer.Name)}, nil
		}}, nil
	}, rsocket.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-ended
	})
	scheme, _, _ := strings.Cut(address, ":")
	return &door{t, scheme + "://" + l.Addr().String()}
}

// knock dials, and returns who the door says it is, or why not.
func (d *door) knock(metadata []byte, shown ...tls.Certificate) string {
	d.t.Helper()
	cfg := certs.Client()
	cfg.Certificates = shown
	setup := rsocket.Setup{MetadataMIME: composite.MIME, Payload: rsocket.Payload{Metadata: metadata}}
	c, err := rsocket.Dial(await.Context(d.t), d.addr, setup, rsocket.Handler{}, rsocket.Config{TLS: cfg})
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	reply, err := c.Call(await.Context(d.t), rsocket.Payload{})
	if err != nil {
		return err.Error()
	}
	return string(reply.Data)
}

func bearer(t testing.TB, token string) []byte {
	t.Helper()
	b, err := composite.AppendBearer(nil, token)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func named(dns ...string) tls.Certificate {
	return certs.Known().Issue(certs.Request{DNS: dns, Lasts: time.Hour})
}

func TestWhoItIs(t *testing.T) {
	of := fleet(t)
	long := strings.Repeat("x", 1025)
	edge := certs.Known().Issue(certs.Request{Name: "tv.nodes.example", URIs: []string{"spiffe://example/edge"}, Lasts: time.Hour}) // the subject's name counts for nothing
	mesh := named("mesh.example")
	refused := 0
	for what, tt := range map[string]struct {
		metadata []byte
		shown    []tls.Certificate
		want     string
	}{
		"a DNS name":                    {nil, []tls.Certificate{named("elsewhere.example", "tv.nodes.example")}, "tv-nodes"},
		"a URI":                         {nil, []tls.Certificate{edge}, "edges"},
		"two names of one peer":         {nil, []tls.Certificate{certs.Known().Issue(certs.Request{DNS: []string{"edge.example"}, URIs: []string{"spiffe://example/edge"}, Lasts: time.Hour})}, "edges"},
		"a token":                       {bearer(t, batchToken), nil, "batch"},
		"the token before":              {bearer(t, retiredToken), nil, "batch"},
		"both":                          {bearer(t, staffToken), []tls.Certificate{named("staff.example")}, "staff"},
		"a token beside something else": {bearer(t, staffToken), []tls.Certificate{mesh}, "staff"},
		"metadata of other types":       {composite.Append(bearer(t, staffToken), "application/x", []byte("?")), nil, "staff"},

		"nothing":                            {nil, nil, "…the line is not authenticated: expected a client certificate…or a token…"},
		"a name that nobody has":             {nil, []tls.Certificate{mesh}, "…the certificate has mesh.example: expected the name of a peer…"},
		"no name at all":                     {nil, []tls.Certificate{certs.Known().Issue(certs.Request{Name: "tv.nodes.example", Lasts: time.Hour})}, "…the certificate has no DNS name and no URI…"},
		"another case":                       {nil, []tls.Certificate{named("TV.nodes.example")}, "…expected the name of a peer…"},
		"a wildcard":                         {nil, []tls.Certificate{named("*.nodes.example")}, "…expected the name of a peer…"},
		"a name below":                       {nil, []tls.Certificate{named("a.tv.nodes.example")}, "…expected the name of a peer…"},
		"two peers' names":                   {nil, []tls.Certificate{named("tv.nodes.example", "edge.example")}, "…the certificate names two peers, tv-nodes and edges: expected one…"},
		"a token that is nobody's":           {bearer(t, "warmline_x"), nil, "…the token is no peer's: it is wrong, or retired…"},
		"no token in it":                     {bearer(t, ""), nil, "…the token is no peer's…"},
		"a hash for a token":                 {bearer(t, peers.HashToken(batchToken).String()), nil, "…the token is no peer's…"},
		"half a token":                       {bearer(t, batchToken[:8]), nil, "…the token is no peer's…"},
		"a long token":                       {bearer(t, long), nil, "…the token: expected at most 1024 bytes…"},
		"a certificate and nobody's token":   {bearer(t, "warmline_x"), []tls.Certificate{named("staff.example")}, "…the token is no peer's…"},
		"a certificate and another's token":  {bearer(t, batchToken), []tls.Certificate{named("staff.example")}, "…the certificate is of one peer, and the token of another…"},
		"garbage":                            {[]byte(batchToken), nil, "…the metadata of SETUP: expected composite metadata with one entry…"},
		"half an entry":                      {bearer(t, batchToken)[:7], nil, "…expected composite metadata with one entry…"},
		"two tokens":                         {append(bearer(t, batchToken), bearer(t, staffToken)...), nil, "…expected composite metadata with one entry…"},
		"no type of authentication":          {composite.Append(nil, composite.Authentication, nil), nil, "…expected composite metadata with one entry…"},
		"a type that is not known":           {composite.Append(nil, composite.Authentication, []byte{0x85, 1, 2}), nil, "…expected composite metadata with one entry…"},
		"a password":                         {simple(t, "batch", batchToken), nil, "…expected composite metadata with one entry…"},
		"a certificate, and garbage besides": {[]byte{0xFF}, []tls.Certificate{named("staff.example")}, "…expected composite metadata with one entry…"},
	} {
		for _, address := range []string{"tls://127.0.0.1:0", "wss://127.0.0.1:0"} {
			if strings.HasPrefix(tt.want, "…") {
				refused++
				tt.want = `…REJECTED_SETUP…{"code":"unauthenticated","message":"` + tt.want
			}
			d := open(t, address, of, tls.VerifyClientCertIfGiven)
			got := d.knock(tt.metadata, tt.shown...)
			if !wildcard.Match(got, tt.want) {
				t.Errorf("%s, %s\n got %s\nwant %s", what, address, got, tt.want)
			}
			for _, secret := range []string{batchToken, staffToken, batchToken[:12]} {
				if strings.Contains(got, secret) {
					t.Errorf("%s: a token is in %s", what, got)
				}
			}
			tt.want = strings.TrimPrefix(tt.want, `…REJECTED_SETUP…{"code":"unauthenticated","message":"`)
		}
	}
	if got := of.Stats(); got != (peers.Stats{Unauthenticated: int64(refused)}) {
		t.Errorf("%+v, want %d", got, refused)
	}
}

// The example of docs/protocol.md.
func TestWhatATokenLooksLike(t *testing.T) {
	if got := fmt.Sprintf("% x", bearer(t, "warmline_abcd")); got != "fc 00 00 0e 81 77 61 72 6d 6c 69 6e 65 5f 61 62 63 64" {
		t.Error(got)
	}
}

func simple(t *testing.T, name, password string) []byte {
	t.Helper()
	b, err := composite.AppendSimple(nil, name, password)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Certificates that are not good end in the handshake, before anybody is asked.
func TestCertificatesThatAreNotGood(t *testing.T) {
	of := fleet(t)
	for want, shown := range map[string]tls.Certificate{
		"unknown certificate authority": certs.New().Issue(certs.Request{DNS: []string{"tv.nodes.example"}, Lasts: time.Hour}),
		"expired certificate":           certs.Known().Issue(certs.Request{DNS: []string{"tv.nodes.example"}, Lasts: -time.Minute}),
	} {
		got := open(t, "tls://127.0.0.1:0", of, tls.VerifyClientCertIfGiven).knock(bearer(t, staffToken), shown)
		if got == "tv-nodes" || got == "staff" || strings.Contains(got, "REJECTED_SETUP") || !strings.Contains(got, want) && !strings.Contains(got, "closed") {
			t.Errorf("%s: %s", want, got)
		}
	}
	if n := of.Stats().Unauthenticated; n != 0 {
		t.Errorf("%d were looked at", n)
	}
	// A listener that asks for certificates and believes them all is no help.
	got := open(t, "tls://127.0.0.1:0", of, tls.RequestClientCert).knock(nil, certs.New().Issue(certs.Request{DNS: []string{"tv.nodes.example"}, Lasts: time.Hour}))
	if !strings.Contains(got, "the client certificate was not verified") {
		t.Error(got)
	}
	if got := open(t, "tcp://127.0.0.1:0", of, 0).knock(nil); !strings.Contains(got, "is not authenticated") {
		t.Error(got)
	}
	if got := open(t, "tcp://127.0.0.1:0", of, 0).knock(bearer(t, staffToken)); got != "staff" {
		t.Error(got)
	}
}

func TestReplaceRetiresTokens(t *testing.T) {
	of := fleet(t)
	next, err := peers.New(peers.Peer{Name: "batch", Tokens: []peers.Hash{peers.HashToken(batchToken)}, Calls: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	setup := func(token string) rsocket.Setup {
		return rsocket.Setup{Payload: rsocket.Payload{Metadata: bearer(t, token)}}
	}
	if _, refusal := of.Identify(setup(retiredToken), nil); refusal != nil {
		t.Error(refusal)
	}
	of.Replace(next)
	for token, good := range map[string]bool{batchToken: true, retiredToken: false, staffToken: false} {
		if peer, refusal := of.Identify(setup(token), nil); (refusal == nil) != good || good && !peer.MayCall("members") {
			t.Errorf("%s: %v, %v", token, peer, refusal)
		}
	}
	if of.Stats().Unauthenticated != 2 || len(of.Names()) != 1 {
		t.Errorf("%+v, %v", of.Stats(), of.Names())
	}
}

// Nobody is a peer by way of a state that no handshake has made.
func TestAStateWithoutCertificates(t *testing.T) {
	of := fleet(t)
	for _, state := range []*tls.ConnectionState{nil, {}, {PeerCertificates: []*x509.Certificate{{DNSNames: []string{"tv.nodes.example"}}}}} {
		if peer, refusal := of.Identify(rsocket.Setup{}, state); refusal == nil || refusal.Code != protocol.Unauthenticated {
			t.Errorf("%v: %v", state, peer)
		}
	}
}

func FuzzIdentify(f *testing.F) {
	of := fleet(f)
	f.Add(bearer(f, batchToken))
	f.Add(bearer(f, "warmline_x"))
	f.Add(composite.Append(nil, composite.Authentication, []byte{0x80, 0, 1, 'a', 'b'}))
	f.Add([]byte(batchToken))
	f.Fuzz(func(t *testing.T, metadata []byte) {
		peer, refusal := of.Identify(rsocket.Setup{Payload: rsocket.Payload{Metadata: metadata}}, nil)
		switch {
		case (peer == nil) == (refusal == nil):
			t.Fatalf("%v, %v", peer, refusal)
		case refusal != nil && (refusal.Code != protocol.Unauthenticated || len(refusal.Message) > 300):
			t.Fatal(refusal)
		case peer != nil && !strings.Contains(string(metadata), batchToken) && !strings.Contains(string(metadata), staffToken) && !strings.Contains(string(metadata), retiredToken):
			t.Fatalf("%x is %s", metadata, peer.Name)
		}
	})
}

func BenchmarkIdentify(b *testing.B) {
	of := fleet(b)
	setup := rsocket.Setup{Payload: rsocket.Payload{Metadata: bearer(b, staffToken)}}
	for b.Loop() {
		if _, refusal := of.Identify(setup, nil); refusal != nil {
			b.Fatal(refusal)
		}
	}
}
