package edgelayer_test

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/internal/certs"
	"warmline.dev/internal/logged"
	"warmline.dev/internal/wildcard"
	"warmline.dev/protocol"
	"warmline.dev/protocol/peers"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/composite"
	"warmline.dev/protocol/rsocket/frame"
)

func peersOf(t testing.TB, all ...peers.Peer) *peers.Peers {
	t.Helper()
	p, err := peers.New(all...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// holding is a peer of a token that is its name.
func holding(p peers.Peer) peers.Peer {
	p.Tokens = append(p.Tokens, peers.HashToken(p.Name))
	return p
}

// dialAs opens a line with a token. "" is none.
func (e *edge) dialAs(token, hello string) *line {
	e.t.Helper()
	l := &line{t: e.t, codec: protocol.MsgPack}
	return e.dialRaw(protocol.MsgPack, rsocket.Setup{MetadataMIME: composite.MIME, DataMIME: protocol.MIMEMsgPack, Payload: rsocket.Payload{Metadata: bearer(e.t, token), Data: l.encode(hello)}})
}

func bearer(t testing.TB, token string) []byte {
	t.Helper()
	if token == "" {
		return nil
	}
	b, err := composite.AppendBearer(nil, token)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// asksWho is an edge that does.
func asksWho(t testing.TB, log *logged.Log) (*edge, *peers.Peers) {
	of := peersOf(
		t,
		holding(peers.Peer{Name: "nodes", Calls: []string{"*"}}),
		holding(peers.Peer{Name: "batch", Calls: []string{"catalogue"}}),
		holding(peers.Peer{Name: "edges", HandsOver: true}),
		holding(peers.Peer{Name: "staff", Operates: true}),
		holding(peers.Peer{Name: "adapters", Offers: []string{"tv"}}),
	)
	own := edgelayer.NewMethod("take", echoOwn)
	return start(t, edgelayer.Config{
		Services: []edgelayer.Service{catalogue("1.4.2"), catalogue("2.1.3"), echo()}, Own: []edgelayer.Method{own}, Peers: of, Log: zerolog.New(log),
	}), of
}

func TestALineIsAuthenticatedBeforeItsFirstRequest(t *testing.T) {
	var log logged.Log
	e, of := asksWho(t, &log)
	for what, token := range map[string]string{"nobody": "", "a wrong token": "warmline_secret"} {
		l := e.dialAs(token, `{"wants":{"nothing-of-that-name":"^9"}}`)
		if got := l.ask(protocol.Metadata{Route: "catalogue.version"}, ""); !strings.HasPrefix(got, "CLOSED REJECTED_SETUP") {
			t.Errorf("%s: %s", what, got)
		}
		l.wantClosed(`CLOSED REJECTED_SETUP {"code":"unauthenticated","message":"the …"}`) // and nothing of what there is
	}
	raw := rsocket.Setup{MetadataMIME: composite.MIME, DataMIME: protocol.MIMEMsgPack, Payload: rsocket.Payload{Metadata: []byte("warmline_secret"), Data: []byte("\xdd\xff\xff\xff\xff")}}
	e.dialRaw(protocol.MsgPack, raw).wantClosed(`CLOSED REJECTED_SETUP {"code":"unauthenticated",…`) // before its hello is read
	if got := of.Stats(); got != (peers.Stats{Unauthenticated: 3}) || e.Stats().Peers != got || e.Stats().Calls != 0 {
		t.Errorf("%+v", e.Stats())
	}
	if got := log.String(); strings.Count(got, "line refused") != 3 || strings.Contains(got, "secret") {
		t.Error(got)
	}
}

func TestWhatAPeerMayCall(t *testing.T) {
	e, of := asksWho(t, new(logged.Log))
	nodes, batch, edges, staff := e.dialAs("nodes", ""), e.dialAs("batch", ""), e.dialAs("edges", `{"wants":{"edge":"^1"}}`), e.dialAs("staff", "")
	nodes.want("catalogue.version", "", `"2.1.3"`)
	nodes.want("echo.say", `{"text":"x"}`, `{"text":"x"}`)
	nodes.want("edge.stats", "", `{…}`)
	nodes.want("edge.take", "", "ERROR forbidden peer nodes may not call edge.take")
	nodes.want("edge.nothing", "", `ERROR unknown_method "edge.nothing": edge 1.0.0 has stats`)
	nodes.want("films.list", "", `ERROR unknown_method "films.list": this line has catalogue, echo, edge`)

	// Without wants it has what it may call.
	batch.want(protocol.RouteSetup, "", `{"name":"edge","protocol":"1.0.0","resolved":{"catalogue":"2.1.3","edge":"1.0.0"},"version":"0.0.0"}`)
	batch.want("catalogue.version", "", `"2.1.3"`)
	batch.want("echo.say", `{"text":"x"}`, "ERROR forbidden peer batch may not call echo; it may call catalogue")
	batch.want("films.list", "", "ERROR forbidden peer batch may not call films; it may call catalogue")
	batch.want("edge.stats", "", "ERROR forbidden peer batch may not call edge.stats")
	c := batch.converse(`[1,1,"catalogue.version",{}]`, `[1,2,"echo.say",{"text":"x"}]`, `[1,3,"edge.take",{}]`)
	for _, got := range c.hearAll(3) {
		if !wildcard.Match(got, `[3,1,"2.1.3"…`) && !wildcard.Match(got, `[4,2,"forbidden","peer batch may not call echo; …`) && !wildcard.Match(got, `[4,3,"forbidden","peer batch may not call edge.take…`) {
			t.Error(got)
		}
	}
	// A want is refused at once.
	e.dialAs("batch", `{"wants":{"catalogue":"^1"}}`).want("catalogue.version", "", `"1.4.2"`)
	e.dialAs("batch", `{"wants":{"catalogue":"^1","echo":"^1","a":"x"}}`).
		wantClosed(`CLOSED REJECTED_SETUP {"code":"forbidden","message":"peer batch may not call a, echo; it may call catalogue"}`)
	e.dialAs("adapters", "").wantClosed(`CLOSED REJECTED_SETUP {"code":"forbidden","message":"peer adapters may not dial an edge: there is nothing that it may call"}`)

	edges.want("edge.take", "", `"taken"`)
	edges.want("edge.stats", "", "ERROR forbidden peer edges may not call edge.stats")
	edges.want("catalogue.version", "", "ERROR forbidden peer edges may not call catalogue; it may call nothing")
	staff.want("edge.stats", "", `{…"peers":{"forbidden":10,"unauthenticated":0}…}`)
	staff.want("edge.take", "", "ERROR forbidden …")
	if got := of.Stats(); got != (peers.Stats{Forbidden: 11}) {
		t.Errorf("%+v", got)
	}
}

func TestPeersThatChange(t *testing.T) {
	e, of := asksWho(t, new(logged.Log))
	nodes, batch, staff := e.dialAs("nodes", ""), e.dialAs("batch", ""), e.dialAs("staff", "")
	wanting := e.dialAs("nodes", `{"wants":{"echo":"^1"}}`)
	batch.want("catalogue.version", "", `"2.1.3"`) // so that it is let in before its peer changes
	wanting.want("echo.say", `{"text":"x"}`, `{"text":"x"}`)
	staff.want("edge.stats", "", `{…}`)
	inside := nodes.converse(`[1,1,"catalogue.version",{}]`)
	inside.want(`[3,1,"2.1.3"]`)
	of.Replace(peersOf(
		t,
		holding(peers.Peer{Name: "nodes", Calls: []string{"catalogue"}}),
		peers.Peer{Name: "batch", Tokens: []peers.Hash{peers.HashToken("batch-2")}, Calls: []string{"catalogue", "echo"}},
		holding(peers.Peer{Name: "staff", Calls: []string{"catalogue"}, Operates: true}),
	))
	staff.want("catalogue.version", "", "ERROR forbidden …") // until the edge looks again
	e.PeersChanged()
	staff.want("catalogue.version", "", `"2.1.3"`)
	nodes.want("echo.say", `{"text":"x"}`, "ERROR forbidden peer nodes may not call echo; it may call catalogue")
	inside.say(`[1,2,"echo.say",{"text":"x"}]`) // goes on with what it began with
	inside.want(`[3,2,{"text":"x"}]`)
	batch.wantClosed("…gracefully…")
	wanting.wantClosed("…gracefully…")
	e.dialAs("batch", "").wantClosed(`CLOSED REJECTED_SETUP {"code":"unauthenticated",…retired…`)
	e.dialAs("batch-2", "").want("echo.say", `{"text":"x"}`, `{"text":"x"}`)
	// What an edge offers anew is for those who may have it.
	if err := e.Offer(catalogue("3.0.0"), catalogue("2.1.3"), echo()); err != nil {
		t.Fatal(err)
	}
	nodes.want("catalogue.version", "", `"3.0.0"`)
	nodes.want("echo.say", `{"text":"x"}`, "ERROR forbidden …")
}

// A client certificate says who it is, over real TLS.
func TestCertificatesOfPeers(t *testing.T) {
	of := peersOf(t, peers.Peer{Name: "nodes", Certificates: []string{"tv.nodes.example"}, Calls: []string{"catalogue"}})
	s, err := edgelayer.New(edgelayer.Config{Services: []edgelayer.Service{catalogue("2.1.3"), echo()}, Peers: of})
	if err != nil {
		t.Fatal(err)
	}
	cfg := certs.Server()
	cfg.ClientCAs, cfg.ClientAuth = certs.Known().Pool, tls.VerifyClientCertIfGiven
	l, err := rsocket.ListenTLS(t.Context(), "tls://127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close(); <-ended })
	e := &edge{Server: s, t: t, addr: "tls://" + l.Addr().String()}
	dial := func(shown ...tls.Certificate) *line {
		client := certs.Client()
		client.Certificates = shown
		return e.dialBy(rsocket.Config{TLS: client})
	}
	issue := func(a *certs.Authority, name string, lasts time.Duration) tls.Certificate {
		return a.Issue(certs.Request{DNS: []string{name}, Lasts: lasts})
	}
	good := dial(issue(certs.Known(), "tv.nodes.example", time.Hour))
	good.want("catalogue.version", "", `"2.1.3"`)
	good.want("echo.say", `{"text":"x"}`, "ERROR forbidden …")
	dial().wantClosed(`CLOSED REJECTED_SETUP {"code":"unauthenticated",…not authenticated…`)
	dial(issue(certs.Known(), "web.nodes.example", time.Hour)).wantClosed(`CLOSED REJECTED_SETUP {"code":"unauthenticated",…the certificate has web.nodes.example…`)
	for _, bad := range []tls.Certificate{issue(certs.Known(), "tv.nodes.example", -time.Minute), issue(certs.New(), "tv.nodes.example", time.Hour)} {
		l := dial(bad) // TLS 1.3: the edge's word comes later
		select {
		case <-l.conn.Done():
		case <-await.Context(t).Done():
			t.Fatal("the line stands")
		}
		if got := words(l.conn.Err()); strings.Contains(got, frame.CodeRejectedSetup.String()) {
			t.Errorf("it was asked: %s", got)
		}
	}
	if got := of.Stats(); got != (peers.Stats{Unauthenticated: 2, Forbidden: 1}) {
		t.Errorf("%+v", got)
	}
}

func echoOwn(context.Context, struct{}) (string, error) { return "taken", nil }

// Without the right to, what a peer calls changes no passport, and all else works.
func TestAPeerThatMayNotChangePassports(t *testing.T) {
	keys := newKeys(t)
	_, svc := newMembers()
	of := peersOf(t, holding(peers.Peer{Name: "readers", Calls: []string{"*"}}), holding(peers.Peer{Name: "nodes", Calls: []string{"*"}, Changes: true}))
	e := start(t, edgelayer.Config{Services: []edgelayer.Service{svc}, Keys: keys, Peers: of, Log: zerolog.Nop()})
	before := sealed(t, keys, asIs)
	readers := e.dialAs("readers", "")
	c := readers.converseWith(carrying(before), `[1,1,"members.choose",{"profile":"kids"}]`)
	c.want(`[4,1,"forbidden","peer readers may not change passports",false]`)
	c.say(`[1,2,"members.who",{}]`)
	c.want(`[3,2,"ann/grown-up recognised by gateway"]`)
	if got, md := readers.askForAll(protocol.Metadata{Route: "members.choose", Passport: before}, `{"profile":"kids"}`); got != "ERROR forbidden peer readers may not change passports" || md.Passport != nil {
		t.Errorf("a single call: %s", got)
	}
	if n := of.Stats().Forbidden; n != 2 {
		t.Errorf("%d are counted", n)
	}
	e.dialAs("nodes", "").converseWith(carrying(before), `[1,1,"members.choose",{"profile":"kids"}]`).wantPassport(keys, `[3,1,{"profile":"kids"}]`)
}
