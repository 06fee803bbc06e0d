package conformance

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

var cancelCases = []Case{
	{"a request whose context ends is given up on both sides", func(t *testing.T, connect Connect) {
		h, entered, left := hanging()
		asks, _ := connect(t, Options{Answers: h})
		for range 3 {
			ctx, cancel := context.WithCancel(context.Background())
			result := make(chan error, 1)
			go func() {
				_, err := asks.Call(ctx, rsocket.Payload{})
				result <- err
			}()
			await.Value(t, "the request", entered)
			cancel()
			if err := await.Value(t, "the answer", result); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			await.Value(t, "the handler is told", left)
		}
	}},
	{"a request whose context has ended is not made", func(t *testing.T, connect Connect) {
		asks, _ := connect(t, Options{Answers: echo()})
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := asks.Call(ctx, rsocket.Payload{})
		_, streamErr := asks.OpenStream(ctx, rsocket.Payload{})
		_, channelErr := asks.OpenChannel(ctx, rsocket.Payload{})
		for what, err := range map[string]error{
			"request-response": err, "stream": streamErr, "channel": channelErr,
			"fire-and-forget": asks.FireAndForget(ctx, rsocket.Payload{}), "push": asks.PushMetadata(ctx, nil),
		} {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}},
	{"the requester cancels a stream or a channel", func(t *testing.T, connect Connect) {
		for kind, open := range map[string]func(*testing.T, End, string) rsocket.Channel{"stream": stream, "channel": open} {
			h, entered, left := hanging()
			asks, _ := connect(t, Options{Answers: h})
			ch := open(t, asks, "")
			if got := await.Value(t, "the request", entered); got != kind {
				t.Fatalf("got a %s, want a %s", got, kind)
			}
			for range 2 {
				ch.Cancel()
				if err := recvError(t, ch); !errors.Is(err, rsocket.ErrCanceled) {
					t.Errorf("Recv: %v", err)
				}
			}
			if err := ch.Send(await.Context(t), text("x")); kind == "channel" && !errors.Is(err, rsocket.ErrCanceled) {
				t.Errorf("Send: %v", err)
			}
			await.Value(t, "the handler is told", left)
		}
	}},
	{"a canceled stream stops a sender that has credit", func(t *testing.T, connect Connect) {
		result := make(chan error, 1)
		asks, _ := connect(t, Options{Answers: rsocket.Handler{Stream: func(_ context.Context, _ rsocket.Payload, items rsocket.Channel) error {
			err := countUp(await.Context(t), items, 0, 1<<30, new(atomic.Int64))
			result <- err
			return err
		}}})
		ch := stream(t, asks, "")
		want(t, ch, 0, 100)
		ch.Cancel()
		if err := await.Value(t, "the sender", result); !errors.Is(err, rsocket.ErrCanceled) {
			t.Errorf("got %v", err)
		}
	}},
	{"the responder cancels a channel", func(t *testing.T, connect Connect) {
		asks, _ := connect(t, Options{Answers: rsocket.Handler{Channel: func(ctx context.Context, ch rsocket.Channel) error {
			if err := countUp(ctx, ch, 0, 2, new(atomic.Int64)); err != nil {
				return err
			}
			ch.Cancel()
			if ctx.Err() == nil {
				t.Error("the handler's context goes on")
			}
			if err := ch.Send(context.Background(), text("x")); !errors.Is(err, rsocket.ErrCanceled) {
				t.Errorf("Send: %v", err)
			}
			if _, err := ch.Recv(context.Background()); !errors.Is(err, rsocket.ErrCanceled) {
				t.Errorf("Recv: %v", err)
			}
			return nil
		}}})
		ch := open(t, asks, "")
		want(t, ch, 0, 2)
		wantError(t, recvError(t, ch), frame.CodeCanceled, "canceled")
		wantError(t, ch.Send(await.Context(t), text("x")), frame.CodeCanceled, "canceled")
	}},
	{"a responder that leaves stops the requester", func(t *testing.T, connect Connect) {
		asks, _ := connect(t, Options{Config: rsocket.Config{Window: window}, Answers: rsocket.Handler{Channel: LeavesAtOnce}})
		ch := open(t, asks, "0")
		wantEnd(t, ch)
		err := countUp(await.Context(t), ch, 1, 1<<30, new(atomic.Int64))
		if !errors.Is(err, rsocket.ErrCanceled) {
			t.Errorf("got %v", err)
		}
	}},
	{"a context bounds Send and Recv and harms nothing", func(t *testing.T, connect Connect) {
		gate := make(chan struct{})
		h := echo()
		asks, _ := connect(t, Options{Config: rsocket.Config{Window: window}, Answers: rsocket.Handler{Channel: func(ctx context.Context, ch rsocket.Channel) error {
			<-gate
			return h.Channel(ctx, ch)
		}}})
		ch := open(t, asks, "0")
		send(t, ch, 1, 1+window)
		for range 2 {
			ctx, cancel := context.WithCancel(context.Background())
			results := make(chan error, 2)
			go func() { results <- ch.Send(ctx, text("x")) }()
			go func() { _, err := ch.Recv(ctx); results <- err }()
			cancel()
			for range 2 {
				if err := await.Value(t, "a wait that ends", results); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			}
		}
		close(gate)
		result := make(chan error, 1)
		go func() { result <- countUp(await.Context(t), ch, 1+window, 50, new(atomic.Int64)) }()
		want(t, ch, 0, 50)
		if err := await.Value(t, "the sender", result); err != nil {
			t.Error(err)
		}
		ch.Cancel()
	}},
}

// LeavesAtOnce is the handler of a channel that takes nothing and says nothing.
func LeavesAtOnce(context.Context, rsocket.Channel) error { return nil }
