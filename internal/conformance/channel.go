package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
)

var channelCases = []Case{
	{"a channel carries items both ways in order", func(t *testing.T, connect Connect) {
		asks, _ := connect(t, Options{Answers: echo(), Config: rsocket.Config{Window: window}})
		for _, n := range []int{1, 2, window, window + 1, window + 2, 400} {
			if err := exchange(await.Context(t), asks, n); err != nil {
				t.Errorf("%d items: %v", n, err)
			}
		}
	}},
	{"a channel's items keep metadata and data", func(t *testing.T, connect Connect) {
		asks, _ := connect(t, Options{Answers: echo()})
		p := rsocket.Payload{Metadata: []byte("m"), Data: []byte("d")}
		ch, err := asks.OpenChannel(await.Context(t), p)
		if err == nil {
			err = ch.Send(await.Context(t), p)
		}
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
		ch.Cancel()
	}},
	{"the requester's half ends by itself", func(t *testing.T, connect Connect) {
		ended := make(chan struct{})
		asks, _ := connect(t, Options{Config: rsocket.Config{Window: window}, Answers: rsocket.Handler{Channel: func(ctx context.Context, ch rsocket.Channel) error {
			for range 20 {
				if _, err := ch.Recv(ctx); err != nil {
					return err
				}
			}
			if _, err := ch.Recv(ctx); !errors.Is(err, io.EOF) {
				return errors.New("no end")
			}
			close(ended)
			return countUp(ctx, ch, 0, 50, new(atomic.Int64))
		}}})
		ch := open(t, asks, "0")
		send(t, ch, 1, 20)
		for range 2 {
			if err := ch.CloseSend(); err != nil {
				t.Error(err)
			}
		}
		if err := ch.Send(await.Context(t), text("x")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("sending behind the end: %v", err)
		}
		await.Value(t, "the end", ended)
		want(t, ch, 0, 50)
		wantEnd(t, ch)
	}},
	{"the responder's half ends by itself", func(t *testing.T, connect Connect) {
		got := make(chan error, 1)
		asks, _ := connect(t, Options{Config: rsocket.Config{Window: window}, Answers: rsocket.Handler{Channel: func(ctx context.Context, ch rsocket.Channel) error {
			if err := countUp(ctx, ch, 0, 3, new(atomic.Int64)); err != nil {
				return err
			}
			if err := ch.CloseSend(); err != nil {
				return err
			}
			for {
				if _, err := ch.Recv(ctx); err != nil {
					got <- err
					return nil
				}
			}
		}}})
		ch := open(t, asks, "0")
		want(t, ch, 0, 3)
		wantEnd(t, ch)
		send(t, ch, 1, 50) // more than a window: credit still comes
		if err := ch.CloseSend(); err != nil {
			t.Error(err)
		}
		if err := await.Value(t, "the requester's end", got); !errors.Is(err, io.EOF) {
			t.Errorf("got %v, want the end", err)
		}
	}},
	{"a slow responder stops the requester", func(t *testing.T, connect Connect) {
		gate := make(chan struct{})
		h := echo()
		asks, _ := connect(t, Options{Config: rsocket.Config{Window: window}, Answers: rsocket.Handler{Channel: func(ctx context.Context, ch rsocket.Channel) error {
			<-gate
			return h.Channel(ctx, ch)
		}}})
		ch := open(t, asks, "0")
		var sent atomic.Int64
		result := make(chan error, 1)
		go func() {
			err := countUp(await.Context(t), ch, 1, 100, &sent)
			result <- errors.Join(err, ch.CloseSend())
		}()
		stays(t, "items sent", window, sent.Load)
		close(gate)
		want(t, ch, 0, 100)
		wantEnd(t, ch)
		if err := await.Value(t, "the sender", result); err != nil {
			t.Error(err)
		}
	}},
	{"a slow requester stops the responder", func(t *testing.T, connect Connect) {
		var sent atomic.Int64
		asks, _ := connect(t, Options{Config: rsocket.Config{Window: window}, Answers: rsocket.Handler{Channel: func(ctx context.Context, ch rsocket.Channel) error {
			return countUp(ctx, ch, 0, 100, &sent)
		}}})
		ch := open(t, asks, "")
		stays(t, "items sent", window, sent.Load)
		want(t, ch, 0, 100)
		wantEnd(t, ch)
		ch.Cancel()
	}},
	{"many channels do not mix", func(t *testing.T, connect Connect) {
		asks, answers := connect(t, Options{Asks: echo(), Answers: echo(), Config: rsocket.Config{Window: window}})
		var wg sync.WaitGroup
		for i := range 8 {
			for _, end := range []End{asks, answers} {
				wg.Go(func() {
					if err := exchange(await.Context(t), end, 20*(i+1)); err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
	}},
}

// exchange has n items echoed on a channel.
func exchange(ctx context.Context, asks End, n int) error {
	ch, err := asks.OpenChannel(ctx, text("0"))
	if err != nil {
		return err
	}
	defer ch.Cancel() // does nothing to one that is over
	result := make(chan error, 1)
	go func() {
		err := countUp(ctx, ch, 1, n, new(atomic.Int64))
		result <- errors.Join(err, ch.CloseSend())
	}()
	for i := range n {
		if p, err := ch.Recv(ctx); err != nil || string(p.Data) != fmt.Sprint(i) {
			return fmt.Errorf("item %d: got %q, %w", i, p.Data, err)
		}
	}
	if p, err := ch.Recv(ctx); !errors.Is(err, io.EOF) {
		return fmt.Errorf("behind the last item: got %q, %w, want the end", p.Data, err)
	}
	return <-result
}
