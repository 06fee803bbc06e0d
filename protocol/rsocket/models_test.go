package rsocket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket/frame"
)

// count answers a request-stream with the numbers below that in the request.
func count(ctx context.Context, request Payload, items Channel) error {
	var n int
	if _, err := fmt.Sscan(string(request.Data), &n); err != nil {
		return err
	}
	for i := range n {
		if err := items.Send(ctx, text(fmt.Sprint(i))); err != nil {
			return err
		}
	}
	return nil
}

// drain receives until the end and counts.
func drain(t *testing.T, ch Channel) int {
	t.Helper()
	for n := 0; ; n++ {
		p, err := ch.Recv(await.Context(t))
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			t.Fatalf("item %d: %v", n, err)
		}
		if string(p.Data) != fmt.Sprint(n) {
			t.Fatalf("item %d is %q", n, p.Data)
		}
	}
}

func TestStreamArrivesInOrderAndCompletes(t *testing.T) {
	_, addr := startServer(t, Handler{Stream: count}, Config{})
	c := dial(t, addr, Handler{}, Config{Window: 7})
	for _, n := range []int{0, 1, 6, 7, 8, 1000} {
		ch, err := c.OpenStream(t.Context(), text(fmt.Sprint(n)))
		if err != nil {
			t.Fatal(err)
		}
		if got := drain(t, ch); got != n {
			t.Errorf("%d items of %d", got, n)
		}
		if err := ch.Send(t.Context(), text("x")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("sending on a request-stream: %v", err)
		}
	}
	await.Until(t, "nothing is under way", func() bool { return c.InFlight() == 0 })
}

func TestStreamFailsWithItsCode(t *testing.T) {
	_, addr := startServer(t, Handler{Stream: func(ctx context.Context, _ Payload, items Channel) error {
		if err := items.Send(ctx, text("0")); err != nil {
			return err
		}
		return &Error{Code: 0x345, Message: "no more"}
	}}, Config{})
	c := dial(t, addr, Handler{}, Config{})
	ch, err := c.OpenStream(t.Context(), text(""))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := ch.Recv(await.Context(t)); err != nil || string(p.Data) != "0" {
		t.Fatalf("%q, %v", p.Data, err)
	}
	var e *Error
	if _, err := ch.Recv(await.Context(t)); !errors.As(err, &e) || e.Code != 0x345 || e.Message != "no more" || !e.Remote {
		t.Errorf("%v", err)
	}
}

func TestFireAndForgetArrivesAndIsNotAnswered(t *testing.T) {
	got := make(chan Payload, 2)
	_, addr := startServer(t, Handler{
		FireAndForget: func(_ context.Context, p Payload) { got <- p },
		Response:      echo().Response,
	}, Config{Fragment: 64})
	c := dial(t, addr, Handler{}, Config{Fragment: 64})
	for _, p := range []Payload{{Metadata: []byte("m"), Data: []byte("d")}, {Metadata: bytes.Repeat([]byte("m"), 500), Data: bytes.Repeat([]byte("d"), 500)}} {
		if err := c.FireAndForget(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if g := <-got; !bytes.Equal(g.Metadata, p.Metadata) || !bytes.Equal(g.Data, p.Data) {
			t.Errorf("got %q %q", g.Metadata, g.Data)
		}
	}
	if n := c.InFlight(); n != 0 {
		t.Errorf("%d requests under way", n)
	}
}

func TestPayloadsInFragmentsArriveWhole(t *testing.T) {
	h := echo()
	h.Stream = func(ctx context.Context, request Payload, items Channel) error { return items.Send(ctx, request) }
	_, addr := startServer(t, h, Config{Fragment: 100})
	c := dial(t, addr, Handler{}, Config{Fragment: 64})
	for _, n := range []int{0, 1, 40, 51, 52, 53, 54, 55, 56, 57, 58, 100, 1000, 100_000} {
		for _, m := range []int{-1, 0, 1, 54, 55, 56, 500} {
			p := Payload{Data: bytes.Repeat([]byte("d"), n)}
			if m >= 0 {
				p.Metadata = bytes.Repeat([]byte("m"), m)
			}
			check := func(model string, got Payload, err error) {
				t.Helper()
				if err != nil || !bytes.Equal(got.Data, p.Data) || !bytes.Equal(got.Metadata, p.Metadata) || (got.Metadata == nil) != (p.Metadata == nil) {
					t.Fatalf("%s of %d+%d bytes: %d+%d bytes, %v", model, m, n, len(got.Metadata), len(got.Data), err)
				}
			}
			got, err := c.Call(await.Context(t), p)
			check("request-response", got, err)
			ch, err := c.OpenStream(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			got, err = ch.Recv(await.Context(t))
			check("request-stream", got, err)
			if _, err := ch.Recv(await.Context(t)); !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			ch, err = c.OpenChannel(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := ch.Send(await.Context(t), p); err != nil {
					t.Fatal(err)
				}
			}
			if err := ch.CloseSend(); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				got, err = ch.Recv(await.Context(t))
				check("request-channel", got, err)
			}
			if _, err := ch.Recv(await.Context(t)); !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
		}
	}
}

func TestPayloadLargerThanAFrameArrives(t *testing.T) {
	_, addr := startServer(t, echo(), Config{})
	c := dial(t, addr, Handler{}, Config{})
	p := Payload{Metadata: []byte("m"), Data: bytes.Repeat([]byte("0123456789abcdef"), 1<<20+1)}
	got, err := c.Call(await.Context(t), p)
	if err != nil || !bytes.Equal(got.Data, p.Data) {
		t.Fatalf("%d bytes, %v", len(got.Data), err)
	}
}

func TestAFragmentedPayloadCostsOneCredit(t *testing.T) {
	p := rawClient(t, echo(), Config{Window: 4})
	p.write(setupFrame(), frame.AppendRequestMany(nil, 1, frame.TypeRequestChannel, 0, 10, nil, []byte("a")))
	p.want("REQUEST_N 1 n=4", "PAYLOAD 1 N a")
	for range 4 {
		for range 5 {
			p.write(frame.AppendPayload(nil, 1, frame.FlagNext|frame.FlagFollows, nil, []byte("x")))
		}
		p.write(frame.AppendPayload(nil, 1, frame.FlagNext, nil, []byte("y")))
		got := p.read()
		for got == "REQUEST_N 1 n=2" {
			got = p.read()
		}
		if got != "PAYLOAD 1 N xxxxxy" {
			t.Fatal(got)
		}
	}
}

func TestUnfinishedPayloadsAreBounded(t *testing.T) {
	t.Run("each", func(t *testing.T) {
		_, p, check := beside(t, echo(), Config{MaxPayload: 100})
		p.write(setupFrame(), frame.AppendRequest(nil, 1, frame.TypeRequestResponse, frame.FlagFollows, nil, make([]byte, 60)))
		p.write(frame.AppendPayload(nil, 1, frame.FlagNext|frame.FlagFollows, nil, make([]byte, 60)))
		p.want("ERROR 1 INVALID a payload of more than 100 bytes")
		p.write(frame.AppendPayload(nil, 1, frame.FlagNext, nil, nil), frame.AppendRequest(nil, 3, frame.TypeRequestResponse, 0, nil, []byte("b")))
		p.want("PAYLOAD 3 NC b")
		check()
	})
	t.Run("all of a connection", func(t *testing.T) {
		_, p, check := beside(t, echo(), Config{MaxReassembly: 100})
		p.write(setupFrame(), frame.AppendRequest(nil, 1, frame.TypeRequestResponse, frame.FlagFollows, nil, []byte("a")))
		p.write(frame.AppendRequest(nil, 3, frame.TypeRequestResponse, frame.FlagFollows, nil, make([]byte, 100)))
		p.want("ERROR 3 REJECTED the unfinished payloads of this connection exceed 100 bytes")
		check()
		p.write(frame.AppendPayload(nil, 1, frame.FlagNext, nil, []byte("b")))
		p.want("PAYLOAD 1 NC ab")
	})
	t.Run("in number", func(t *testing.T) {
		_, p, check := beside(t, echo(), Config{MaxStreams: 2})
		p.write(setupFrame())
		for _, id := range []uint32{1, 3, 5} {
			p.write(frame.AppendRequest(nil, id, frame.TypeRequestResponse, frame.FlagFollows, nil, []byte("a")))
		}
		p.want("ERROR 5 REJECTED 2 requests…")
		check()
		p.write(frame.AppendCancel(nil, 1), frame.AppendRequest(nil, 7, frame.TypeRequestResponse, 0, nil, []byte("b")))
		p.want("PAYLOAD 7 NC b")
	})
}

func TestLeasesAreGrantedHonouredAndEnforced(t *testing.T) {
	t.Run("both ways", func(t *testing.T) {
		cfg := Config{LeaseRequests: 2, LeaseTTL: 20 * time.Millisecond}
		conns := make(chan *Conn, 1)
		_, addr := startAcceptor(t, func(_ context.Context, c *Conn) (Handler, error) {
			conns <- c
			return echo(), nil
		}, cfg)
		c := dial(t, addr, echo(), cfg)
		for _, from := range []*Conn{c, <-conns} {
			for range 7 { // more than a lease holds: waits for the next
				if _, err := from.Call(await.Context(t), text("a")); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
	t.Run("honoured", func(t *testing.T) {
		c, p := rawServer(t, Handler{}, Config{LeaseRequests: 1})
		p.want("LEASE 0 n=1 ttl=30000")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Call(ctx, text("a")); !errors.Is(err, context.Canceled) {
			t.Errorf("without a lease: %v", err)
		}
		done := make(chan error, 2)
		for range 2 {
			go func() { done <- c.FireAndForget(await.Context(t), text("a")) }()
		}
		p.write(frame.AppendLease(nil, 60_000, 1))
		p.want("REQUEST_FNF 1 a")
		p.write(frame.AppendLease(nil, 60_000, 5))
		p.want("REQUEST_FNF 3 a")
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("enforced", func(t *testing.T) {
		_, p, check := beside(t, echo(), Config{LeaseRequests: 2})
		p.write(frame.AppendSetup(nil, frame.Setup{KeepAlive: time.Minute, Lifetime: time.Hour}, frame.FlagLease, nil, nil))
		p.want("LEASE 0 n=2 ttl=30000")
		for _, id := range []uint32{1, 3} {
			p.write(frame.AppendRequest(nil, id, frame.TypeRequestResponse, 0, nil, []byte("a")))
			p.want(fmt.Sprintf("PAYLOAD %d NC a", id))
		}
		p.write(frame.AppendRequest(nil, 5, frame.TypeRequestResponse, 0, nil, []byte("a")))
		p.want("ERROR 5 REJECTED no lease…")
		check()
	})
}

// Everybody who waits is told of the end, not only one of them.
func TestAllWhoWaitAreReleased(t *testing.T) {
	for name, end := range map[string]func(c *Conn, ch Channel){
		"by Cancel":    func(_ *Conn, ch Channel) { ch.Cancel() },
		"by Close":     func(c *Conn, _ Channel) { c.Close() },
		"by CloseSend": func(_ *Conn, ch Channel) { _ = ch.CloseSend(); ch.Cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			c, p := rawServer(t, Handler{}, Config{})
			ch, err := c.OpenChannel(t.Context(), text("a"))
			if err != nil {
				t.Fatal(err)
			}
			p.want("REQUEST_CHANNEL 1…")
			const each = 4
			released := make(chan error, 2*each)
			for range each {
				go func() { released <- ch.Send(context.Background(), text("b")) }()
				go func() {
					_, err := ch.Recv(context.Background())
					released <- err
				}()
			}
			await.Until(t, "all wait", func() bool { return c.turn.waiting.Load() == 2*each })
			end(c, ch)
			for range 2 * each {
				if err := await.Value(t, "one who waited", released); err == nil {
					t.Error("released without an error")
				}
			}
		})
	}
}

// A handler that waits with its own context is told why the channel ended, and
// not only that its context did.
func TestAHandlerIsToldWhyItsChannelEnded(t *testing.T) {
	for name, wait := range map[string]func(ctx context.Context, ch Channel) error{
		"receiving": func(ctx context.Context, ch Channel) error {
			_, err := ch.Recv(ctx)
			return err
		},
		"sending": func(ctx context.Context, ch Channel) error { return ch.Send(ctx, text("more than it has credit for")) },
	} {
		t.Run(name, func(t *testing.T) {
			told := make(chan error, 1)
			p := rawClient(t, Handler{Channel: func(ctx context.Context, ch Channel) error {
				for range 2 { // the first goes through
					if err := wait(ctx, ch); err != nil {
						told <- err
						return err
					}
				}
				return nil
			}}, Config{})
			p.write(setupFrame(), frame.AppendRequestMany(nil, 1, frame.TypeRequestChannel, 0, 1, nil, []byte("a")))
			p.want("REQUEST_N 1 n=32")
			p.write(frame.AppendError(nil, 1, 0x305, "for a reason"))
			var e *Error
			if err := await.Value(t, "the end", told); !errors.As(err, &e) || e.Code != 0x305 {
				t.Errorf("%v", err)
			}
		})
	}
}
