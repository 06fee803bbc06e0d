package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
)

var streamCases = []Case{
	{"a stream arrives in order and completes", func(t *testing.T, connect Connect) {
		asks, _ := connect(t, Options{Answers: rsocket.Handler{Stream: count}, Config: rsocket.Config{Window: window}})
		for _, n := range []int{0, 1, window - 1, window, window + 1, 1000} {
			ch := stream(t, asks, fmt.Sprint(n))
			want(t, ch, 0, n)
			wantEnd(t, ch)
			if err := ch.Send(await.Context(t), text("x")); !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("sending on a stream: %v", err)
			}
			ch.Cancel() // does nothing to one that is over
		}
	}},
	{"a stream's request and items keep metadata and data", func(t *testing.T, connect Connect) {
		asks, _ := connect(t, Options{Answers: echo()})
		p := rsocket.Payload{Metadata: []byte("m"), Data: []byte("d")}
		ch, err := asks.OpenStream(await.Context(t), p)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			got, err := ch.Recv(await.Context(t))
			if err != nil {
				t.Fatal(err)
			}
			same(t, "an item", got, p)
		}
		wantEnd(t, ch)
	}},
	{"a stream's items come before its error", func(t *testing.T, connect Connect) {
		asks, _ := connect(t, Options{Answers: rsocket.Handler{Stream: func(ctx context.Context, p rsocket.Payload, items rsocket.Channel) error {
			if err := count(ctx, p, items); err != nil {
				return err
			}
			return &rsocket.Error{Code: 0x345, Message: "no more"}
		}}})
		ch := stream(t, asks, "5")
		want(t, ch, 0, 5)
		wantError(t, recvError(t, ch), 0x345, "no more")
	}},
	{"a slow receiver of a stream stops its sender", func(t *testing.T, connect Connect) {
		var sent atomic.Int64
		asks, _ := connect(t, Options{Config: rsocket.Config{Window: window}, Answers: rsocket.Handler{Stream: func(ctx context.Context, _ rsocket.Payload, items rsocket.Channel) error {
			return countUp(ctx, items, 0, 100, &sent)
		}}})
		ch := stream(t, asks, "")
		stays(t, "items sent", window, sent.Load)
		want(t, ch, 0, 100)
		wantEnd(t, ch)
	}},
	{"two streams do not hold each other up", func(t *testing.T, connect Connect) {
		asks, _ := connect(t, Options{Answers: rsocket.Handler{Stream: count}, Config: rsocket.Config{Window: window}})
		stopped, running := stream(t, asks, "1000"), stream(t, asks, "1000")
		want(t, running, 0, 1000)
		wantEnd(t, running)
		want(t, stopped, 0, 1000)
		wantEnd(t, stopped)
	}},
}

// count answers a stream with the numbers below that in the request.
func count(ctx context.Context, request rsocket.Payload, items rsocket.Channel) error {
	var n int
	if _, err := fmt.Sscan(string(request.Data), &n); err != nil {
		return err
	}
	return countUp(ctx, items, 0, n, new(atomic.Int64))
}

// countUp sends numbers, and tells in sent how many it has sent.
func countUp(ctx context.Context, ch rsocket.Channel, from, to int, sent *atomic.Int64) error {
	for i := from; i < to; i++ {
		if err := ch.Send(ctx, text(fmt.Sprint(i))); err != nil {
			return err
		}
		sent.Add(1)
	}
	return nil
}

// stays fails the test if value leaves what it has come to. That takes a moment
// to show: too short a one can miss a fault, and never reports one that is none.
func stays(t *testing.T, what string, want int64, value func() int64) {
	t.Helper()
	await.Until(t, fmt.Sprint(what, " come to ", want), func() bool { return value() >= want })
	<-time.After(20 * time.Millisecond)
	if got := value(); got != want {
		t.Errorf("%s came to %d, want %d", what, got, want)
	}
}
