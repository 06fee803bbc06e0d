package rsocket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket/frame"
)

func TestCallEchoes(t *testing.T) {
	_, addr := startServer(t, echo(), Config{})
	c := dial(t, addr, Handler{}, Config{})
	for _, p := range []Payload{
		{Data: []byte("hello")},
		{Metadata: []byte("m"), Data: []byte("d")},
		{Metadata: []byte{}, Data: []byte{}},
		{Data: bytes.Repeat([]byte("x"), 3<<20)},
	} {
		got, err := c.Call(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Data, p.Data) || !bytes.Equal(got.Metadata, p.Metadata) || (got.Metadata == nil) != (p.Metadata == nil) {
			t.Errorf("echo of %d+%d bytes came back as %d+%d", len(p.Metadata), len(p.Data), len(got.Metadata), len(got.Data))
		}
	}
}

func TestManyCallsAtOnceGetTheirOwnAnswers(t *testing.T) {
	_, addr := startServer(t, echo(), Config{MaxUnwritten: 4096})
	c := dial(t, addr, Handler{}, Config{MaxUnwritten: 4096})
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for j := range 50 {
				want := fmt.Sprintf("%d/%d", i, j)
				if got, err := c.Call(t.Context(), text(want)); err != nil || string(got.Data) != want {
					t.Errorf("got %q, %v, want %q", got.Data, err, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestServerCallsClient(t *testing.T) {
	conns := make(chan *Conn, 1)
	_, addr := startAcceptor(t, func(_ context.Context, c *Conn) (Handler, error) {
		conns <- c
		return Handler{}, nil
	}, Config{})
	dial(t, addr, echo(), Config{})
	got, err := (<-conns).Call(t.Context(), text("up"))
	if err != nil || string(got.Data) != "up" {
		t.Fatalf("got %q, %v", got.Data, err)
	}
}

func TestSetupReachesTheAcceptor(t *testing.T) {
	setups := make(chan Setup, 1)
	_, addr := startAcceptor(t, func(_ context.Context, c *Conn) (Handler, error) {
		setups <- c.Setup()
		return Handler{}, nil
	}, Config{})
	want := Setup{KeepAlive: 3 * time.Second, Lifetime: 7 * time.Second, MetadataMIME: "m/1", DataMIME: "d/2", Payload: Payload{Metadata: []byte("mm"), Data: []byte("dd")}}
	c, err := Dial(t.Context(), addr, want, Handler{}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := <-setups; fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestRefusedSetupFailsEveryCallWithItsCode(t *testing.T) {
	_, addr := startAcceptor(t, func(context.Context, *Conn) (Handler, error) {
		return Handler{}, &Error{Code: frame.CodeRejectedSetup, Message: "not you"}
	}, Config{})
	c := dial(t, addr, Handler{}, Config{})
	_, err := c.Call(t.Context(), text("?"))
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != frame.CodeRejectedSetup || e.Message != "not you" || !e.Remote || !errors.Is(err, ErrClosed) {
		t.Fatalf("got %#v", err)
	}
	<-c.Done()
	if !errors.Is(c.Err(), ErrClosed) {
		t.Errorf("Err is %v", c.Err())
	}
}

func TestReasonSurvivesAFailedWrite(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.ReadFull(nc, make([]byte, 1<<20)) // SETUP and some of the request
			f := frame.AppendError(nil, 0, frame.CodeRejectedSetup, "not today")
			_, _ = nc.Write(append([]byte{0, 0, byte(len(f))}, f...))
			nc.Close() // with unread bytes, so that what is being written fails
		}
	}()
	for range 20 { // without care, one in four loses it
		c := dial(t, "tcp://"+l.Addr().String(), Handler{}, Config{})
		_, err := c.Call(t.Context(), text(string(make([]byte, 14<<20))))
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != frame.CodeRejectedSetup {
			t.Fatalf("got %v", err)
		}
		c.Close()
	}
}

func TestHandlerErrorDecidesTheCode(t *testing.T) {
	_, addr := startServer(t, Handler{Response: func(_ context.Context, p Payload) (Payload, error) {
		if string(p.Data) == "plain" {
			return Payload{}, errors.New("it broke")
		}
		return Payload{}, &Error{Code: 0x305, Message: "custom"}
	}}, Config{})
	c := dial(t, addr, Handler{}, Config{})
	for in, want := range map[string]Error{
		"plain":  {Code: frame.CodeApplication, Message: "it broke", Remote: true},
		"custom": {Code: 0x305, Message: "custom", Remote: true},
	} {
		_, err := c.Call(t.Context(), text(in))
		if e, ok := errors.AsType[*Error](err); !ok || *e != want {
			t.Errorf("%s: got %#v", in, err)
		}
	}
}

func TestCancelReachesTheHandlerAndFreesTheStream(t *testing.T) {
	entered, ended := make(chan struct{}), make(chan struct{})
	s, addr := startServer(t, Handler{Response: func(ctx context.Context, _ Payload) (Payload, error) {
		close(entered)
		<-ctx.Done()
		close(ended)
		return Payload{}, ctx.Err()
	}}, Config{})
	c := dial(t, addr, Handler{}, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-entered; cancel() }()
	if _, err := c.Call(ctx, text("")); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	<-ended
	if n := c.InFlight(); n != 0 {
		t.Errorf("client: %d in flight", n)
	}
	await.Until(t, "the server's stream is free", func() bool { return s.Conns()[0].InFlight() == 0 })
}

func TestLostConnectionFailsCallsAndChannels(t *testing.T) {
	c, p := rawServer(t, Handler{}, Config{})
	ch, err := c.OpenChannel(t.Context(), text("open"))
	if err != nil {
		t.Fatal(err)
	}
	errs := make(chan error, 3)
	go func() { _, err := c.Call(context.Background(), text("call")); errs <- err }()
	go func() { _, err := ch.Recv(context.Background()); errs <- err }()
	go func() { errs <- ch.Send(context.Background(), text("x")) }()
	p.want("REQUEST_CHANNEL 1 n=32 open", "REQUEST_RESPONSE 3 call")
	p.nc.Close()
	for range 3 {
		if err := <-errs; !errors.Is(err, ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	}
	if _, err := c.Call(t.Context(), text("")); !errors.Is(err, ErrClosed) {
		t.Errorf("a call afterwards: %v", err)
	}
}

func TestShutdownLetsWhatIsUnderWayFinish(t *testing.T) {
	release := make(chan struct{})
	s, addr := startServer(t, Handler{Response: func(_ context.Context, p Payload) (Payload, error) {
		<-release
		return p, nil
	}}, Config{})
	c := dial(t, addr, Handler{}, Config{})
	answer := make(chan error, 1)
	go func() { _, err := c.Call(context.Background(), text("slow")); answer <- err }()
	await.Until(t, "the call is under way", func() bool { cs := s.Conns(); return len(cs) == 1 && cs[0].InFlight() == 1 })
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(context.Background()) }()
	// The client has been told: a new call is refused, and safe to make elsewhere.
	await.Until(t, "a new call is refused", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		_, err := c.Call(ctx, text("new"))
		e, refused := errors.AsType[*Error](err)
		return errors.Is(err, ErrDraining) || refused && e.Code == frame.CodeRejected
	})
	select {
	case err := <-down:
		t.Fatalf("Shutdown returned %v before the call was answered", err)
	default:
	}
	close(release)
	if err := <-answer; err != nil {
		t.Errorf("the call under way: %v", err)
	}
	if err := <-down; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func TestShutdownIsBoundedByItsContext(t *testing.T) {
	s, addr := startServer(t, Handler{Response: func(ctx context.Context, _ Payload) (Payload, error) {
		<-ctx.Done()
		return Payload{}, ctx.Err()
	}}, Config{})
	c := dial(t, addr, Handler{}, Config{})
	answer := make(chan error, 1)
	go func() { _, err := c.Call(context.Background(), text("hangs")); answer <- err }()
	await.Until(t, "the call is under way", func() bool { cs := s.Conns(); return len(cs) == 1 && cs[0].InFlight() == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-answer; !errors.Is(err, ErrClosed) {
		t.Errorf("the call: %v", err)
	}
}

func TestPushedMetadataArrivesInOrder(t *testing.T) {
	got := make(chan string, 3)
	_, addr := startServer(t, Handler{MetadataPush: func(m []byte) { got <- string(m) }}, Config{})
	c := dial(t, addr, Handler{}, Config{})
	for _, m := range []string{"a", "", "c"} {
		if err := c.PushMetadata(t.Context(), []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"a", "", "c"} {
		if m := <-got; m != want {
			t.Errorf("got %q, want %q", m, want)
		}
	}
}

func TestOversizedPayloadIsRefusedBeforeItIsSent(t *testing.T) {
	_, addr := startServer(t, echo(), Config{})
	c := dial(t, addr, Handler{}, Config{MaxPayload: 100})
	if _, err := c.Call(t.Context(), text(string(make([]byte, 200)))); !errors.Is(err, ErrTooLarge) {
		t.Errorf("call: %v", err)
	}
	ch, err := c.OpenChannel(t.Context(), text("a"))
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Send(t.Context(), text(string(make([]byte, 200)))); !errors.Is(err, ErrTooLarge) {
		t.Errorf("send: %v", err)
	}
	if got, err := ch.Recv(t.Context()); err != nil || string(got.Data) != "a" {
		t.Errorf("the channel goes on: %q, %v", got.Data, err)
	}
	if err := ch.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.Recv(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("end: %v", err)
	}
}

func TestBadConfigIsNamed(t *testing.T) {
	for _, cfg := range []Config{{MaxFrame: 1}, {MaxFrame: 1 << 24}, {Window: -1}, {MaxUnread: -1}, {MaxUnwritten: -1}, {Fragment: 63}, {MaxFrame: 100, Fragment: 101}, {MaxPayload: -1}, {LeaseRequests: -1}, {LeaseTTL: 1}} {
		if _, err := NewServer(nil, cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
	for _, addr := range []string{"", "127.0.0.1:1", "http://x:1", "tcp://x", "tcp://u@x:1", "tcp://x:1/path"} {
		if _, err := Listen(t.Context(), addr); err == nil {
			t.Errorf("address %q was taken", addr)
		}
	}
}
