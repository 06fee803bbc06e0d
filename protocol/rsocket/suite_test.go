package rsocket_test

import (
	"context"
	"errors"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/certs"
	"warmline.dev/internal/conformance"
	"warmline.dev/protocol/rsocket"
)

func TestConformance(t *testing.T) {
	for _, scheme := range conformance.Carriers {
		t.Run(scheme, func(t *testing.T) {
			t.Run("the client asks", func(t *testing.T) {
				conformance.Run(t, func(t *testing.T, o conformance.Options) (asks, answers conformance.End) {
					return connect(t, scheme, o, o.Asks, o.Answers)
				})
			})
			t.Run("the server asks", func(t *testing.T) {
				conformance.Run(t, func(t *testing.T, o conformance.Options) (asks, answers conformance.End) {
					answers, asks = connect(t, scheme, o, o.Answers, o.Asks)
					return asks, answers
				})
			})
		})
	}
}

// connect makes a connection of the engine to itself.
func connect(t *testing.T, scheme string, o conformance.Options, clients, servers rsocket.Handler) (client, server conformance.End) {
	t.Helper()
	conns := make(chan *rsocket.Conn, 1)
	s, err := rsocket.NewServer(func(_ context.Context, c *rsocket.Conn) (rsocket.Handler, error) {
		conns <- c
		return servers, o.Refuse
	}, o.Config)
	if err != nil {
		t.Fatal(err)
	}
	var c *rsocket.Conn
	if scheme == "pipe" {
		near, far := rsocket.Pipe()
		served := make(chan struct{})
		go func() { defer close(served); s.ServeConn(far) }()
		t.Cleanup(func() { _ = s.Close(); <-served }) // never fails
		c, err = rsocket.Client(near, o.Setup, clients, o.Config)
	} else {
		c, err = rsocket.Dial(t.Context(), serve(t, s, scheme), o.Setup, clients, withTLS(o.Config))
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

// serve lets s accept and returns its address.
func serve(t *testing.T, s *rsocket.Server, scheme string) (address string) {
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

func withTLS(cfg rsocket.Config) rsocket.Config {
	cfg.TLS = certs.Client()
	return cfg
}
