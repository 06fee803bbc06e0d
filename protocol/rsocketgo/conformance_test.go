package rsocketgo

import (
	"context"
	"errors"
	"net"
	"testing"

	"warmline.dev/internal/await"
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
	for _, client := range []player{engine, carried} {
		for _, server := range []player{engine, carried} {
			if client == engine && server == engine {
				continue // package rsocket's
			}
			t.Run(client.String()+" dials "+server.String(), func(t *testing.T) {
				t.Run("the client asks", func(t *testing.T) {
					conformance.Run(t, func(t *testing.T, o conformance.Options) (asks, answers conformance.End) {
						return connect(t, o, client, server, o.Asks, o.Answers)
					}, faults(client, server)...)
				})
				t.Run("the server asks", func(t *testing.T) {
					conformance.Run(t, func(t *testing.T, o conformance.Options) (asks, answers conformance.End) {
						answers, asks = connect(t, o, client, server, o.Answers, o.Asks)
						return asks, answers
					}, faults(server, client)...)
				})
			})
		}
	}
}

// connect makes a connection over TCP.
func connect(t *testing.T, o conformance.Options, client, server player, clients, servers rsocket.Handler) (c, s conformance.End) {
	t.Helper()
	conns := make(chan conformance.End, 1)
	address := serve(t, o, server, servers, conns)
	var err error
	if client == engine {
		c, err = rsocket.Dial(t.Context(), address, o.Setup, clients, o.Config)
	} else {
		c, err = Dial(t.Context(), address, o.Setup, clients, o.Config)
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

// serve runs a server and returns its address.
func serve(t *testing.T, o conformance.Options, server player, h rsocket.Handler, conns chan<- conformance.End) string {
	t.Helper()
	var s interface {
		Serve(net.Listener) error
		Close() error
	}
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
	l, err := rsocket.Listen(t.Context(), "tcp://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close() // never fails
		if err := <-ended; !errors.Is(err, rsocket.ErrServerClosed) {
			t.Errorf("Serve returned %v, want ErrServerClosed", err)
		}
	})
	return "tcp://" + l.Addr().String()
}
