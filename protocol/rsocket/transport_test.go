package rsocket

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/certs"
)

// schemes are all transports that have an address.
var schemes = []string{"tcp", "tls", "unix", "ws", "wss"}

// listen listens at a free address of a scheme, with [certs.Server] where there
// is TLS, and returns the address to dial.
func listen(t testing.TB, scheme string) (net.Listener, string) {
	t.Helper()
	address := map[string]string{
		"tcp": "tcp://127.0.0.1:0", "tls": "tls://127.0.0.1:0", "ws": "ws://127.0.0.1:0/rsocket", "wss": "wss://127.0.0.1:0/rsocket",
	}[scheme]
	if scheme == "unix" {
		address = "unix://" + socketPath(t)
	}
	if scheme == "tls" || scheme == "wss" {
		return listenTLS(t, address, certs.Server())
	}
	l, err := Listen(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	return l, addressOf(address, l)
}

func listenTLS(t testing.TB, address string, cfg *tls.Config) (net.Listener, string) {
	t.Helper()
	l, err := ListenTLS(t.Context(), address, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l, addressOf(address, l)
}

// addressOf is the address with the port that the listener got.
func addressOf(address string, l net.Listener) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	if u.Host != "" {
		u.Host = l.Addr().String()
	}
	return u.String()
}

// socketPath is a path that is short enough for a unix socket.
func socketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rsocket")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// serveAt serves a listener until the test ends.
func serveAt(t testing.TB, l net.Listener, a Acceptor, cfg Config) *Server {
	t.Helper()
	s, err := NewServer(a, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-ended; !errors.Is(err, ErrServerClosed) {
			t.Errorf("Serve returned %v, want ErrServerClosed", err)
		}
	})
	return s
}

func answering(h Handler) Acceptor {
	return func(context.Context, *Conn) (Handler, error) { return h, nil }
}

// eachTransport runs a test over every scheme and in memory: connect makes one
// more connection to a server with that acceptor.
func eachTransport(t *testing.T, cfg Config, test func(t *testing.T, start func(a Acceptor) (s *Server, connect func(h Handler) *Conn))) {
	cfg.TLS = certs.Client()
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			test(t, func(a Acceptor) (*Server, func(Handler) *Conn) {
				l, addr := listen(t, scheme)
				return serveAt(t, l, a, cfg), func(h Handler) *Conn { return dial(t, addr, h, cfg) }
			})
		})
	}
	t.Run("pipe", func(t *testing.T) {
		test(t, func(a Acceptor) (*Server, func(Handler) *Conn) {
			s, connect := startInMemory(t, a, cfg)
			return s, func(h Handler) *Conn {
				c, err := Client(connect(), Setup{}, h, cfg)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { c.Close() })
				return c
			}
		})
	})
}

func TestEveryTransportCarriesTheModelsBothWays(t *testing.T) {
	eachTransport(t, Config{}, func(t *testing.T, start func(Acceptor) (*Server, func(Handler) *Conn)) {
		pushed := make(chan string, 1)
		h := echo()
		h.MetadataPush = func(m []byte) { pushed <- string(m) }
		h.FireAndForget = func(_ context.Context, p Payload) { pushed <- string(p.Data) }
		h.Stream = func(ctx context.Context, p Payload, items Channel) error {
			for range 3 {
				if err := items.Send(ctx, p); err != nil {
					return err
				}
			}
			return nil
		}
		conns := make(chan *Conn, 1)
		_, connect := start(func(_ context.Context, c *Conn) (Handler, error) {
			conns <- c
			return h, nil
		})
		client := connect(h)
		for side, c := range map[string]*Conn{"client": client, "server": await.Value(t, "the server's end", conns)} {
			checkModels(t, side, c, pushed)
		}
	})
}

// checkModels asks the echo at the other end of c.
func checkModels(t *testing.T, side string, c *Conn, pushed <-chan string) {
	t.Helper()
	ctx := await.Context(t)
	large := bytes.Repeat([]byte("0123456789abcde\n"), 5<<20/16)
	for _, p := range []Payload{{}, text("small"), {Metadata: []byte("m"), Data: make([]byte, 126)}, text(string(make([]byte, 65_536))), {Data: large}} {
		got, err := c.Call(ctx, p)
		if err != nil || !bytes.Equal(got.Data, p.Data) || !bytes.Equal(got.Metadata, p.Metadata) {
			t.Errorf("%s: the echo of %d bytes is %d, %v", side, len(p.Data), len(got.Data), err)
		}
	}
	ch, err := c.OpenChannel(ctx, text("item 0"))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for i := range 99 {
			_ = ch.Send(ctx, text(fmt.Sprintf("item %d", i+1))) // what does not arrive is missed below
		}
		_ = ch.Send(ctx, Payload{Data: large})
		_ = ch.CloseSend()
	}()
	for i := range 101 {
		p, err := ch.Recv(ctx)
		want := fmt.Appendf(nil, "item %d", i)
		if i == 100 {
			want = large
		}
		if err != nil || !bytes.Equal(p.Data, want) {
			t.Fatalf("%s: item %d is %d bytes, %v", side, i, len(p.Data), err)
		}
	}
	if _, err := ch.Recv(ctx); err != io.EOF {
		t.Errorf("%s: the channel ends with %v", side, err)
	}
	stream, err := c.OpenStream(ctx, text(side))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if p, err := stream.Recv(ctx); err != nil || string(p.Data) != side {
			t.Fatalf("%s: item %d of the stream is %q, %v", side, i, p.Data, err)
		}
	}
	if _, err := stream.Recv(ctx); err != io.EOF {
		t.Errorf("%s: the stream ends with %v", side, err)
	}
	if err := c.PushMetadata(ctx, []byte(side)); err != nil {
		t.Error(err)
	}
	if got := await.Value(t, "the pushed metadata", pushed); got != side {
		t.Errorf("pushed %q, got %q", side, got)
	}
	if err := c.FireAndForget(ctx, text("forget "+side)); err != nil {
		t.Error(err)
	}
	if got := await.Value(t, "the request that nothing answers", pushed); got != "forget "+side {
		t.Errorf("sent %q, got %q", side, got)
	}
}

func TestManyCallsAtOnceOverEveryTransport(t *testing.T) {
	eachTransport(t, Config{MaxUnwritten: 4096}, func(t *testing.T, start func(Acceptor) (*Server, func(Handler) *Conn)) {
		_, connect := start(answering(echo()))
		c := connect(Handler{})
		var wg sync.WaitGroup
		for i := range 32 {
			wg.Go(func() {
				for j := range 30 {
					want := fmt.Sprintf("%d/%d/%s", i, j, bytes.Repeat([]byte("x"), i*j))
					if got, err := c.Call(t.Context(), text(want)); err != nil || string(got.Data) != want {
						t.Errorf("got %.20q, %v, want %.20q", got.Data, err, want)
						return
					}
				}
			})
		}
		wg.Wait()
	})
}

// A refusal is the last that is sent before the connection is closed.
func TestRefusalArrivesOverEveryTransport(t *testing.T) {
	eachTransport(t, Config{}, func(t *testing.T, start func(Acceptor) (*Server, func(Handler) *Conn)) {
		_, connect := start(func(context.Context, *Conn) (Handler, error) { return Handler{}, errors.New("not you") })
		for range 20 {
			_, err := connect(Handler{}).Call(t.Context(), text(string(make([]byte, 100_000))))
			if e, ok := errors.AsType[*Error](err); !ok || e.Message != "not you" || !e.Remote {
				t.Fatalf("got %v", err)
			}
		}
	})
}

func TestEitherSideClosesOverEveryTransport(t *testing.T) {
	eachTransport(t, Config{}, func(t *testing.T, start func(Acceptor) (*Server, func(Handler) *Conn)) {
		s, connect := start(answering(echo()))
		first, second := connect(Handler{}), connect(Handler{})
		for _, c := range []*Conn{first, second} {
			if _, err := c.Call(t.Context(), text("?")); err != nil {
				t.Fatal(err)
			}
		}
		first.Close()
		await.Until(t, "the server sees it", func() bool { return len(s.Conns()) == 1 })
		if err := s.Shutdown(await.Context(t)); err != nil {
			t.Error(err)
		}
		await.Value(t, "the client sees it", second.Done())
		if err := second.Err(); !errors.Is(err, ErrClosed) {
			t.Errorf("the client's end: %v", err)
		}
	})
}

func TestServeConnEndsWithTheConnectionAndKeepsTheBounds(t *testing.T) {
	s, err := NewServer(answering(echo()), Config{MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	serveOne := func() (net.Conn, chan struct{}) {
		theirs, ours := Pipe()
		ended := make(chan struct{})
		go func() { s.ServeConn(ours); close(ended) }()
		return theirs, ended
	}
	nc, ended := serveOne()
	p := newPeer(t, nc)
	p.write(setupFrame())
	await.Until(t, "it is served", func() bool { return len(s.Conns()) == 1 })
	over, overEnded := serveOne()
	await.Value(t, "one too many is not served", overEnded)
	newPeer(t, over).want("EOF")
	select {
	case <-ended:
		t.Error("ServeConn returned while the connection stands")
	default:
	}
	nc.Close()
	await.Value(t, "ServeConn returns", ended)
	s.Close()
	after, afterEnded := serveOne()
	await.Value(t, "a closed server serves none", afterEnded)
	newPeer(t, after).want("EOF")
}
