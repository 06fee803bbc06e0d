package java

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/cut"
	"warmline.dev/protocol/rsocket"
)

// options is how rsocket-java makes a client or server; times are in ms. See
// Options.java.
type options struct {
	Port         int            `json:"port"`
	WebSocket    bool           `json:"webSocket,omitempty"`
	MaxFrame     int            `json:"maxFrame,omitempty"`
	Fragment     int            `json:"fragment,omitempty"`
	MaxPayload   int            `json:"maxPayload,omitempty"`
	Unserved     bool           `json:"unserved,omitempty"`
	Reject       string         `json:"reject,omitempty"`
	Lease        *leaseOptions  `json:"lease,omitempty"`
	Resume       *resumeOptions `json:"resume,omitempty"`
	KeepAlive    int            `json:"keepAlive,omitempty"`
	Lifetime     int            `json:"lifetime,omitempty"`
	MetadataMIME string         `json:"metadataMime,omitempty"`
	DataMIME     string         `json:"dataMime,omitempty"`
	Setup        *message       `json:"setup,omitempty"`
}

type leaseOptions struct {
	Requests int `json:"requests"`
	TTL      int `json:"ttl"`
	Every    int `json:"every"`
	Waiting  int `json:"waiting"`
}

type resumeOptions struct {
	Session  int  `json:"session,omitempty"`
	Retry    int  `json:"retry,omitempty"`
	Retained int  `json:"retained,omitempty"`
	Cleanup  bool `json:"cleanup,omitempty"`
}

// proxy stands between the two ends of a link.
type proxy = cut.Proxy

// link is how two ends are connected.
type link struct {
	ours    rsocket.Config
	setup   rsocket.Setup // when we dial
	theirs  options
	reject  error // our acceptor's word
	handler func(w *witness) rsocket.Handler
}

// javaEnd is an end that rsocket-java plays.
type javaEnd struct{ id int64 }

func (e *javaEnd) start(scenario string, s script) *pending { return jvm.send(scenario, e.id, s) }

func (e *javaEnd) seen(t *testing.T, what string, count int) []event {
	t.Helper()
	return jvm.do(t, "seen", e.id, script{What: what, Count: count}).Events
}

func (e *javaEnd) sent(t *testing.T) int {
	t.Helper()
	return jvm.do(t, "seen", e.id, script{}).Sent
}

func (e *javaEnd) openGate(t *testing.T) {
	t.Helper()
	jvm.do(t, "gate", e.id, nil)
}

func (e *javaEnd) close(t *testing.T) {
	t.Helper()
	jvm.do(t, "close", e.id, nil)
}

// scheme is that of the transport.
func (l link) scheme() string {
	if l.theirs.WebSocket {
		return "ws"
	}
	return "tcp"
}

// javaDials connects rsocket-java's client to our server, through a proxy.
func (l link) javaDials(t *testing.T) (client *javaEnd, server *ourEnd, p *proxy) {
	t.Helper()
	conns := make(chan *ourEnd, 1)
	p = cut.New(t, l.serve(t, conns))
	client = l.connect(t, p)
	return client, await.Value(t, "a connection", conns), p
}

// connect makes a client by rsocket-java.
func (l link) connect(t *testing.T, p *proxy) *javaEnd {
	t.Helper()
	jvm.need(t)
	o := l.theirs
	o.Port = p.Port()
	client := &javaEnd{jvm.do(t, "client", 0, o).On}
	t.Cleanup(func() { client.close(t) })
	return client
}

// serve runs our server and returns where.
func (l link) serve(t *testing.T, conns chan<- *ourEnd) (address string) {
	t.Helper()
	s, err := rsocket.NewServer(func(_ context.Context, conn *rsocket.Conn) (rsocket.Handler, error) {
		if l.reject != nil {
			return rsocket.Handler{}, l.reject
		}
		e := &ourEnd{newWitness(), conn}
		conns <- e
		return l.ourHandler(e.witness), nil
	}, l.ours)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := rsocket.Listen(t.Context(), l.scheme()+"://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(listener) }()
	t.Cleanup(func() {
		within(t, "our server closes", s.Close)
		if err := <-ended; !errors.Is(err, rsocket.ErrServerClosed) {
			t.Errorf("Serve returned %v, want ErrServerClosed", err)
		}
	})
	return listener.Addr().String()
}

func (l link) ourHandler(w *witness) rsocket.Handler {
	if l.handler != nil {
		return l.handler(w)
	}
	return ourHandler(w)
}

// weDial connects our client to rsocket-java's server, through a proxy.
func (l link) weDial(t *testing.T) (client *ourEnd, server *javaEnd, p *proxy) {
	t.Helper()
	client, id, p := l.dial(t)
	server = &javaEnd{jvm.do(t, "accepted", id, script{}).On}
	t.Cleanup(func() { server.close(t) })
	return client, server, p
}

// dial does not wait to be accepted; id is rsocket-java's server.
func (l link) dial(t *testing.T) (client *ourEnd, id int64, p *proxy) {
	t.Helper()
	jvm.need(t)
	s := jvm.do(t, "server", 0, l.theirs)
	t.Cleanup(func() { jvm.do(t, "close", s.On, nil) })
	p = cut.New(t, fmt.Sprintf("127.0.0.1:%d", s.Port))
	w := newWitness()
	conn, err := rsocket.Dial(t.Context(), fmt.Sprintf("%s://127.0.0.1:%d", l.scheme(), p.Port()), l.setup, l.ourHandler(w), l.ours)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { within(t, "our client closes", conn.Close) })
	return &ourEnd{w, conn}, s.On, p
}

// both runs a test twice: rsocket-java dials, and we dial.
func (l link) both(t *testing.T, f func(t *testing.T, theirs *javaEnd, ours *ourEnd, p *proxy)) {
	t.Helper()
	t.Run("rsocket-java dials", func(t *testing.T) {
		theirs, ours, p := l.javaDials(t)
		f(t, theirs, ours, p)
	})
	t.Run("we dial", func(t *testing.T) {
		ours, theirs, p := l.weDial(t)
		f(t, theirs, ours, p)
	})
}

// each runs a test four times: either dials, and either asks.
func (l link) each(t *testing.T, f func(t *testing.T, asks, answers end, p *proxy)) {
	t.Helper()
	l.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, p *proxy) {
		t.Run("rsocket-java asks", func(t *testing.T) { f(t, theirs, ours, p) })
		t.Run("we ask", func(t *testing.T) { f(t, ours, theirs, p) })
	})
}
