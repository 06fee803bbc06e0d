package nodelayer_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/internal/serving"
	"warmline.dev/internal/wildcard"
	"warmline.dev/nodelayer"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// listen takes a free port, or one that was used before.
func listen(t testing.TB, address string) net.Listener {
	t.Helper()
	var l net.Listener
	await.Until(t, "the port "+address, func() (ok bool) {
		var err error
		l, err = rsocket.Listen(context.Background(), address)
		return err == nil
	})
	return l
}

// anyPort is an address to listen at.
const anyPort = "tcp://127.0.0.1:0"

// edge is an edge that is served at an address.
type edge struct {
	*edgelayer.Server
	addr string
}

func serve(t testing.TB, services ...edgelayer.Service) *edge {
	t.Helper()
	return serveAt(t, anyPort, edgelayer.Config{Services: services})
}

func serveAt(t testing.TB, address string, cfg edgelayer.Config) *edge {
	t.Helper()
	s, err := edgelayer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t, address)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-ended
	})
	return &edge{s, "tcp://" + l.Addr().String()}
}

// dial is a node's side of a line to an edge.
func dial(t testing.TB, addr string) *nodelayer.Edge {
	t.Helper()
	return dialWith(t, nodelayer.Config{Edges: []string{addr}})
}

func dialWith(t testing.TB, cfg nodelayer.Config) *nodelayer.Edge {
	t.Helper()
	e, err := nodelayer.Dial(await.Context(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func converse(t testing.TB, e *nodelayer.Edge) *nodelayer.Conversation {
	t.Helper()
	return converseIn(t, t.Context(), e)
}

func converseIn(t testing.TB, ctx context.Context, e *nodelayer.Edge) *nodelayer.Conversation {
	t.Helper()
	c := e.Converse(ctx)
	t.Cleanup(c.Close)
	return c
}

// byHand is an edge played by hand: it says yes to every line, and the test's
// functions answer what is asked on it.
type byHand struct {
	addr  string
	conns chan *rsocket.Conn
}

func playEdge(t testing.TB, h rsocket.Handler) *byHand {
	t.Helper()
	answer := h.Response
	h.Response = func(ctx context.Context, p rsocket.Payload) (rsocket.Payload, error) {
		md, err := protocol.ParseMetadata(p.Metadata)
		if err != nil {
			return rsocket.Payload{}, err
		}
		if md.Route == protocol.RouteSetup {
			data, err := protocol.MsgPack.Marshal(protocol.Welcome{Name: "by hand", Version: "1.0.0", Protocol: protocol.Version})
			return rsocket.Payload{Data: data}, err
		}
		return answer(ctx, p)
	}
	return playRaw(t, h)
}

// playRaw leaves the answer to the setup to the test, too.
func playRaw(t testing.TB, h rsocket.Handler) *byHand {
	t.Helper()
	b := &byHand{conns: make(chan *rsocket.Conn, 100)}
	s, err := rsocket.NewServer(func(_ context.Context, c *rsocket.Conn) (rsocket.Handler, error) {
		b.conns <- c
		return h, nil
	}, rsocket.Config{})
	if err != nil {
		t.Fatal(err)
	}
	b.addr = serving.Start(t, s.Serve, s.Close)
	return b
}

// want compares an error: its code, who said it, whether asking again is safe,
// and its text, in which … stands for any.
func want(t testing.TB, err error, w protocol.Error) {
	t.Helper()
	var got protocol.Error
	e, ok := err.(*protocol.Error)
	if ok {
		got = protocol.Error{Code: e.Code, Message: e.Message, Retry: e.Retry, Remote: e.Remote}
	}
	match := ok && wildcard.Match(got.Message, w.Message)
	w.Message, got.Message = "", ""
	if !match || got != w {
		t.Errorf("the error is %#v\nwith the text %v\nwant %#v", err, err, w)
	}
}

// asking is a way to ask one question of an edge.
type asking[T any] func(ctx context.Context, method string, args any) (T, error)

// inBothWays runs a test with single calls and with calls in a conversation.
func inBothWays[T any](t *testing.T, e *nodelayer.Edge, test func(t *testing.T, ask asking[T])) {
	t.Run("Ask", func(t *testing.T) {
		test(t, func(ctx context.Context, method string, args any) (T, error) {
			return nodelayer.Ask[T](ctx, e, method, args)
		})
	})
	t.Run("Call", func(t *testing.T) {
		test(t, func(ctx context.Context, method string, args any) (T, error) {
			c := e.Converse(ctx)
			defer c.Close()
			return nodelayer.Call[T](ctx, c, method, args)
		})
	})
}

// later runs a call beside the test and returns where its error comes.
func later(call func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- call() }()
	return done
}

func errOf[T any](_ T, err error) error { return err }

func wantIs(t testing.TB, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("the error is %v, want %v", err, target)
	}
}

func askInt(ctx context.Context, e *nodelayer.Edge, method string, args any) (int, error) {
	return nodelayer.Ask[int](ctx, e, method, args)
}

func match(got, want string) bool { return wildcard.Match(got, want) }
