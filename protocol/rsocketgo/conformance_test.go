package rsocketgo

import (
	"context"
	"errors"
	"net"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/certs"
	"warmline.dev/internal/conformance"
	"warmline.dev/protocol/rsocket"
)

// player is the package that plays an end.
type player int

const (
	engine player = iota
	carried
)

func (p player) String() string { return [...]string{"the engine", "rsocketgo"}[p] }

func TestConformance(t *testing.T) {
	for _, c := range []struct {
		client, server player
		carriers       []string
	}{
		{carried, carried, conformance.Carriers},
		{engine, carried, []string{"tcp", "ws"}}, // with and without lengths in front of frames
		{carried, engine, []string{"tcp", "ws"}},
	} {
		for _, scheme := range c.carriers {
			t.Run(c.client.String()+" dials "+c.server.String()+" over "+scheme, func(t *testing.T) {
				t.Run("the client asks", func(t *testing.T) {
					conformance.Run(t, func(t *testing.T, o conformance.Options) (asks, answers conformance.End) {
						return connect(t, scheme, o, c.client, c.server, o.Asks, o.Answers)
					}, faults(c.client, c.server)...)
				})
				t.Run("the server asks", func(t *testing.T) {
					conformance.Run(t, func(t *testing.T, o conformance.Options) (asks, answers conformance.End) {
						answers, asks = connect(t, scheme, o, c.client, c.server, o.Answers, o.Asks)
						return asks, answers
					}, faults(c.server, c.client)...)
				})
			})
		}
	}
}

// connect makes a connection.
func connect(t *testing.T, scheme string, o conformance.Options, client, server player, clients, servers rsocket.Handler) (c, s conformance.End) {
	t.Helper()
	conns := make(chan conformance.End, 1)
	nc := connectTo(t, scheme, newServer(t, o, server, servers, conns))
	var err error
	if client == engine {
		c, err = rsocket.Client(nc, o.Setup, clients, o.Config)
	} else {
		c, err = Client(nc, o.Setup, clients, o.Config)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // never fails
	if o.Refuse != nil {
		return c, nil
	}
	return c, await.Value(t, "a connection", conns)
}

// aServer is a server of either package.
type aServer interface {
	Serve(l net.Listener) error
	ServeConn(nc net.Conn)
	Close() error
}

func newServer(t *testing.T, o conformance.Options, server player, h rsocket.Handler, conns chan<- conformance.End) (s aServer) {
	t.Helper()
	var err error
	if server == engine {
		s, err = rsocket.NewServer(func(_ context.Context, c *rsocket.Conn) (rsocket.Handler, error) {
			conns <- c
			return h, o.Refuse
		}, o.Config)
	} else {
		s, err = NewServer(func(_ context.Context, c *Conn) (rsocket.Handler, error) {
			conns <- c
			return h, o.Refuse
		}, o.Config)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// connectTo lets s serve until the test ends, and connects to it.
func connectTo(t *testing.T, scheme string, s aServer) net.Conn {
	t.Helper()
	if scheme == "pipe" {
		near, far := rsocket.Pipe()
		served := make(chan struct{})
		go func() { defer close(served); s.ServeConn(far) }()
		t.Cleanup(func() { _ = s.Close(); <-served }) // never fails
		return near
	}
	nc, err := rsocket.Connect(t.Context(), serve(t, scheme, s), rsocket.Config{TLS: certs.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return nc
}

// serve lets s accept until the test ends, and returns its address.
func serve(t *testing.T, scheme string, s aServer) (address string) {
	t.Helper()
	l, address := conformance.Listen(t, scheme)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close() // never fails
		if err := <-ended; !errors.Is(err, rsocket.ErrServerClosed) {
			t.Errorf("Serve returned %v, want ErrServerClosed", err)
		}
	})
	return address
}
