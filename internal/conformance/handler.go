package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
)

// window is the credit that both ends give where a test counts it.
const window = 8

func text(s string) rsocket.Payload { return rsocket.Payload{Data: []byte(s)} }

// echo answers a request with itself, a stream with its request twice, and a
// channel item by item.
func echo() rsocket.Handler {
	return rsocket.Handler{
		Response: func(_ context.Context, p rsocket.Payload) (rsocket.Payload, error) { return p, nil },
		Stream: func(ctx context.Context, p rsocket.Payload, items rsocket.Channel) error {
			if err := items.Send(ctx, p); err != nil {
				return err
			}
			return items.Send(ctx, p)
		},
		Channel: func(ctx context.Context, ch rsocket.Channel) error {
			for {
				p, err := ch.Recv(ctx)
				if errors.Is(err, io.EOF) {
					return nil
				}
				if err == nil {
					err = ch.Send(ctx, p)
				}
				if err != nil {
					return err
				}
			}
		},
	}
}

// hanging answers nothing: it announces each request on entered and, when it is
// told to stop, on left.
func hanging() (h rsocket.Handler, entered, left chan string) {
	entered, left = make(chan string, 16), make(chan string, 16)
	hang := func(ctx context.Context, kind string) error {
		entered <- kind
		<-ctx.Done()
		left <- kind
		return ctx.Err()
	}
	return rsocket.Handler{
		Response: func(ctx context.Context, _ rsocket.Payload) (rsocket.Payload, error) {
			return rsocket.Payload{}, hang(ctx, "response")
		},
		FireAndForget: func(ctx context.Context, _ rsocket.Payload) { _ = hang(ctx, "fire and forget") },
		Stream: func(ctx context.Context, _ rsocket.Payload, _ rsocket.Channel) error {
			return hang(ctx, "stream")
		},
		Channel: func(ctx context.Context, _ rsocket.Channel) error { return hang(ctx, "channel") },
	}, entered, left
}

// open opens a channel.
func open(t *testing.T, asks End, first string) rsocket.Channel {
	t.Helper()
	ch, err := asks.OpenChannel(await.Context(t), text(first))
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// stream opens a stream.
func stream(t *testing.T, asks End, request string) rsocket.Channel {
	t.Helper()
	ch, err := asks.OpenStream(await.Context(t), text(request))
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// send sends numbered items, from one to another.
func send(t *testing.T, ch rsocket.Channel, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := ch.Send(await.Context(t), text(fmt.Sprint(i))); err != nil {
			t.Fatalf("item %d: %v", i, err)
		}
	}
}

// want receives numbered items, from one to another.
func want(t *testing.T, ch rsocket.Channel, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if p, err := ch.Recv(await.Context(t)); err != nil || string(p.Data) != fmt.Sprint(i) {
			t.Fatalf("item %d: got %q, %v", i, p.Data, err)
		}
	}
}

// wantEnd wants the peer's half to be complete.
func wantEnd(t *testing.T, ch rsocket.Channel) {
	t.Helper()
	if p, err := ch.Recv(await.Context(t)); !errors.Is(err, io.EOF) {
		t.Fatalf("got %q, %v, want the end", p.Data, err)
	}
}

// wantError wants an ERROR frame of the peer's.
func wantError(t *testing.T, err error, code rsocket.Code, message string) {
	t.Helper()
	e, ok := errors.AsType[*rsocket.Error](err)
	if !ok || e.Code != code || e.Message != message || !e.Remote {
		t.Errorf("got %#v, want %v %q of the peer", err, code, message)
	}
}

// recvError receives what must be an error.
func recvError(t *testing.T, ch rsocket.Channel) error {
	t.Helper()
	p, err := ch.Recv(await.Context(t))
	if err == nil {
		t.Errorf("got %q, want an error", p.Data)
	}
	return err
}

func same(t *testing.T, what string, got, want rsocket.Payload) {
	t.Helper()
	if string(got.Data) != string(want.Data) || string(got.Metadata) != string(want.Metadata) || (got.Metadata == nil) != (want.Metadata == nil) {
		t.Errorf("%s: got %d+%d bytes (metadata %t), want %d+%d (%t)", what,
			len(got.Metadata), len(got.Data), got.Metadata != nil, len(want.Metadata), len(want.Data), want.Metadata != nil)
	}
}
