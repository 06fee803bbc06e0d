package rsocketgo

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/certs"
	"warmline.dev/internal/conformance"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// What a carrier has to be told, and tells. What it carries is the suite's.

func newEcho(t *testing.T, cfg rsocket.Config) *Server {
	t.Helper()
	s, err := NewServer(func(context.Context, *Conn) (rsocket.Handler, error) { return echo, nil }, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDialOverEveryScheme(t *testing.T) {
	for _, scheme := range []string{"tcp", "tls", "unix", "ws", "wss"} {
		t.Run(scheme, func(t *testing.T) {
			address := serve(t, scheme, newEcho(t, rsocket.Config{}))
			c, err := Dial(t.Context(), address, rsocket.Setup{}, rsocket.Handler{}, rsocket.Config{TLS: certs.Client()})
			if err != nil {
				t.Fatal(err)
			}
			wantAnswer(t, c)
			if state, secure := c.TLS(), scheme == "tls" || scheme == "wss"; (state != nil) != secure {
				t.Errorf("TLS: %+v", state)
			}
			if err := c.Shutdown(await.Context(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAcceptorSeesWhoTheClientIs(t *testing.T) {
	trusting := certs.Server()
	trusting.ClientCAs, trusting.ClientAuth = certs.Known().Pool, tls.RequireAndVerifyClientCert
	for _, scheme := range []string{"tls", "wss"} {
		names := make(chan string, 1)
		s, err := NewServer(func(_ context.Context, c *Conn) (rsocket.Handler, error) {
			names <- c.TLS().PeerCertificates[0].Subject.CommonName
			return echo, nil
		}, rsocket.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }() // never fails
		l, err := rsocket.ListenTLS(t.Context(), scheme+"://127.0.0.1:0", trusting)
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = s.Serve(l) }() // Close ends it
		cfg := certs.Client()
		cfg.Certificates = []tls.Certificate{certs.Known().Sign("alice")}
		c, err := Dial(t.Context(), scheme+"://"+l.Addr().String(), rsocket.Setup{}, rsocket.Handler{}, rsocket.Config{TLS: cfg})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }() // never fails
		if name := await.Value(t, "the acceptor", names); name != "alice" {
			t.Errorf("%s: the client is %q", scheme, name)
		}
		if name := c.TLS().PeerCertificates[0].Subject.CommonName; name != "server" {
			t.Errorf("%s: the server is %q", scheme, name)
		}
	}
}

// A WebSocket has no lengths in front of frames: the limit is its own.
func TestAWebSocketMessageMayNotBeTooLong(t *testing.T) {
	address := serve(t, "ws", newEcho(t, rsocket.Config{MaxFrame: 100}))
	nc, err := rsocket.Connect(t.Context(), address, rsocket.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = nc.Close() }()
	p := &peer{t, nc}
	p.write(setupFrame())
	p.alive(1)
	p.write(request(3, string(make([]byte, 100))))
	p.want("ERROR 0 CONNECTION_ERROR a frame of 101 bytes is announced, at most 100 are taken")
}

// Who connects and says nothing, or half a word, is disconnected in time.
func TestSlowHandshakesAreBounded(t *testing.T) {
	const hello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
	for scheme, half := range map[string]string{"tls": hello, "wss": hello, "ws": "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: webs"} {
		for _, said := range []string{"", half} {
			l, _ := conformance.Listen(t, scheme)
			s := newEcho(t, rsocket.Config{FirstFrameTimeout: 200 * time.Millisecond})
			go func() { _ = s.Serve(l) }() // Close ends it
			defer func() { _ = s.Close() }()
			nc := dialRaw(t, l.Addr().String())
			if _, err := io.WriteString(nc, said); err != nil {
				t.Fatal(err)
			}
			wantDisconnected(t, nc, scheme)
		}
	}
}

// wantDisconnected wants it earlier than by the default of FirstFrameTimeout.
func wantDisconnected(t *testing.T, nc net.Conn, what string) {
	t.Helper()
	_ = nc.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, err := io.Copy(io.Discard, nc)
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		t.Errorf("%s: it is still connected", what)
	}
}

// deaf reads nothing until its end is closed.
type deaf struct {
	net.Conn
	over <-chan struct{}
}

func (d deaf) Read([]byte) (int, error) { <-d.over; return 0, io.EOF }

// A pipe has no buffer: the answer to the client's hello waits until it is read.
func TestAHandshakeThatIsNotReadIsBounded(t *testing.T) {
	s := newEcho(t, rsocket.Config{FirstFrameTimeout: 50 * time.Millisecond})
	near, far := net.Pipe()
	over := make(chan struct{})
	go func() { defer close(over); s.ServeConn(tls.Server(near, certs.Server())) }()
	cfg := certs.Client()
	cfg.ServerName = "127.0.0.1"
	if err := tls.Client(deaf{far, over}, cfg).HandshakeContext(await.Context(t)); !errors.Is(err, io.EOF) {
		t.Errorf("the client: %v", err)
	}
	_ = far.Close()
}

func TestAServerEndsInTheMiddleOfAHandshake(t *testing.T) {
	s := newEcho(t, rsocket.Config{})
	l, _ := conformance.Listen(t, "tls")
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	nc := dialRaw(t, l.Addr().String())
	await.Until(t, "it is accepted", func() bool { return len(s.Conns()) == 1 })
	s.Conns()[0].Fail(frame.CodeConnectionError, "written before the handshake is done") // must not break it
	if err := s.Shutdown(await.Context(t)); err != nil {
		t.Error(err)
	}
	if err := await.Value(t, "the end of Serve", ended); !errors.Is(err, rsocket.ErrServerClosed) {
		t.Errorf("Serve: %v", err)
	}
	wantDisconnected(t, nc, "tls")
}
