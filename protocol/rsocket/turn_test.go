package rsocket

import (
	"context"
	"errors"
	"testing"
	"time"

	"warmline.dev/internal/await"
)

// oneAtATime makes requests one after another, until those who wait read for
// themselves, where the platform lets them.
func oneAtATime(t *testing.T, c *Conn) {
	t.Helper()
	before, ctx := c.turn.taken.Load(), await.Context(t)
	// The read loop stays for a second at most after it was needed: on a machine
	// that is busy that is many requests.
	for n := 0; n < 200 || canLookOut && c.turn.taken.Load() == before; n++ {
		if _, err := c.Call(ctx, text("a")); err != nil {
			t.Fatalf("after %d requests, before anybody reads for itself: %v", n, err)
		}
	}
}

func TestWhoReadsForItselfCanBeCalledOff(t *testing.T) {
	for name, call := range map[string]struct {
		off  func(c *Conn, ch Channel, cancel context.CancelFunc)
		want error
	}{
		"by cancelling the channel": {func(_ *Conn, ch Channel, _ context.CancelFunc) { ch.Cancel() }, ErrCanceled},
		"by its context":            {func(_ *Conn, _ Channel, cancel context.CancelFunc) { cancel() }, context.Canceled},
		"by closing the connection": {func(c *Conn, _ Channel, _ context.CancelFunc) { c.Close() }, ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			_, addr := startServer(t, echo(), Config{})
			read := false
			for range 20 { // the read loop may have been started again just before
				c := dial(t, addr, Handler{}, Config{})
				oneAtATime(t, c)
				ch, err := c.OpenChannel(t.Context(), text("a"))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := ch.Recv(await.Context(t)); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				result := make(chan error, 1)
				go func() {
					_, err := ch.Recv(ctx)
					result <- err
				}()
				await.Until(t, "someone waits", func() bool { return c.turn.waiting.Load() == 1 && c.turn.held.Load() })
				read = read || c.turn.led.Load()
				call.off(c, ch, cancel)
				if err := await.Value(t, "the end of Recv", result); !errors.Is(err, call.want) {
					t.Errorf("%v, want %v", err, call.want)
				}
				cancel()
				if !errors.Is(call.want, ErrClosed) {
					if _, err := c.Call(await.Context(t), text("a")); err != nil {
						t.Errorf("afterwards: %v", err)
					}
				}
			}
			if canLookOut && !read {
				t.Error("nobody read for itself in any attempt")
			}
		})
	}
}

func TestFramesAreReadThoughNobodyWaitsForThem(t *testing.T) {
	conns := make(chan *Conn, 1)
	_, addr := startAcceptor(t, func(_ context.Context, c *Conn) (Handler, error) {
		conns <- c
		return echo(), nil
	}, Config{})
	c := dial(t, addr, echo(), Config{})
	server := <-conns
	for range 20 {
		oneAtATime(t, c)
		if _, err := server.Call(await.Context(t), text("b")); err != nil {
			t.Fatal(err)
		}
		oneAtATime(t, server)
	}
}

func TestAHandlerThatBlocksDelaysNobody(t *testing.T) {
	release := make(chan struct{})
	h := Handler{Response: func(ctx context.Context, p Payload) (Payload, error) {
		if string(p.Data) == "block" {
			select {
			case <-release:
			case <-ctx.Done():
			}
		}
		return p, nil
	}}
	_, addr := startServer(t, h, Config{})
	c := dial(t, addr, Handler{}, Config{})
	oneAtATime(t, c)
	blocked := make(chan error, 2)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	for range 2 {
		go func() {
			_, err := c.Call(ctx, text("block"))
			blocked <- err
		}()
	}
	for range 3 {
		if _, err := c.Call(await.Context(t), text("a")); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	for range 2 {
		if err := await.Value(t, "the end of a blocked call", blocked); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	close(release)
	await.Until(t, "nothing is under way", func() bool { return c.InFlight() == 0 })
}
