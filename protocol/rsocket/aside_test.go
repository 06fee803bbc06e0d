package rsocket

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket/frame"
)

// wantRequest reads a frame and compares it whole.
func (p *peer) wantRequest(kind frame.Type, data []byte) {
	p.t.Helper()
	_ = p.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	b, err := p.r.next()
	if err != nil {
		p.t.Fatal(err)
	}
	f, err := frame.Parse(b)
	if err != nil {
		p.t.Fatal(err)
	}
	if f.Type != kind || !bytes.Equal(f.Data, data) {
		p.t.Fatalf("a %s with %d bytes that are not what was sent, want %s with %d", f.Type, len(f.Data), kind, len(data))
	}
}

// More than the sockets of both ends take, so that it waits for the peer to read.
const moreThanSockets = 12 << 20

func TestLargeDataBelongsToItsSenderAgain(t *testing.T) {
	sent := bytes.Repeat([]byte{'a'}, moreThanSockets)

	t.Run("when it is written", func(t *testing.T) {
		c, p := rawServer(t, Handler{}, Config{})
		data := bytes.Clone(sent)
		done := make(chan error, 1)
		go func() {
			err := c.FireAndForget(context.Background(), Payload{Data: data})
			clear(data)
			done <- err
		}()
		time.Sleep(10 * time.Millisecond) // the sockets are full
		p.wantRequest(frame.TypeRequestFNF, sent)
		if err := await.Value(t, "the end of the request", done); err != nil {
			t.Fatal(err)
		}
	})

	t.Run("when its context ends, and it is written all the same", func(t *testing.T) {
		c, p := rawServer(t, Handler{}, Config{})
		data := bytes.Clone(sent)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.FireAndForget(ctx, Payload{Data: data}) }()
		await.Until(t, "the socket to be full", func() bool { return c.outbound.Load() == 1 })
		time.Sleep(10 * time.Millisecond)
		select {
		case err := <-done:
			t.Fatalf("returned %v before the peer read anything", err)
		default:
		}
		cancel()
		if err := await.Value(t, "the end of the request", done); err != nil {
			t.Fatalf("%v: a request that was begun is finished", err)
		}
		clear(data)
		if err := c.FireAndForget(t.Context(), text("behind it")); err != nil {
			t.Fatal(err)
		}
		p.wantRequest(frame.TypeRequestFNF, sent)
		p.wantRequest(frame.TypeRequestFNF, []byte("behind it"))
	})

	t.Run("when the connection is closed", func(t *testing.T) {
		c, _ := rawServer(t, Handler{}, Config{})
		done := make(chan error, 1)
		go func() {
			_, err := c.Call(context.Background(), Payload{Data: bytes.Clone(sent)})
			done <- err
		}()
		await.Until(t, "the request to start", func() bool { return c.outbound.Load() == 1 })
		c.Close()
		if err := await.Value(t, "the end of the call", done); !errors.Is(err, ErrClosed) {
			t.Errorf("%v, want ErrClosed", err)
		}
	})

	t.Run("when the peer has not read for too long", func(t *testing.T) {
		c, _ := rawServer(t, Handler{}, Config{WriteTimeout: 100 * time.Millisecond})
		_, err := c.Call(t.Context(), Payload{Data: bytes.Clone(sent)})
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%v, want ErrClosed", err)
		}
	})
}

// Items of all sizes at once, from many goroutines, in fragments that are partly
// large themselves: each arrives whole, and each sender's in their order.
func TestLargeAndSmallItemsTogether(t *testing.T) {
	const senders, items = 8, 20
	_, addr := startServer(t, echo(), Config{})
	for _, fragment := range []int{0, 100 << 10} {
		c := dial(t, addr, Handler{}, Config{Fragment: fragment})
		done := make(chan error, senders)
		for i := range senders {
			go func() {
				done <- func() error {
					ctx := await.Context(t)
					ch, err := c.OpenChannel(ctx, text("first"))
					if err != nil {
						return err
					}
					defer ch.Cancel()
					if _, err := ch.Recv(ctx); err != nil {
						return err
					}
					for n := range items {
						data := bytes.Repeat([]byte{byte(i), byte(n)}, 1<<(n%19))
						if err := ch.Send(ctx, Payload{Metadata: []byte{byte(n)}, Data: data}); err != nil {
							return err
						}
						want := bytes.Clone(data)
						clear(data)
						if p, err := ch.Recv(ctx); err != nil || !bytes.Equal(p.Data, want) || p.Metadata[0] != byte(n) {
							return errors.Join(err, errors.New("not the item that was sent"))
						}
					}
					return nil
				}()
			}()
		}
		for range senders {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
}
