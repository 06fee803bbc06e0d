package conformance

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

var endCases = []Case{
	{"what waits fails when the other end goes", func(t *testing.T, connect Connect) {
		h, entered, left := hanging()
		asks, answers := connect(t, Options{Answers: h})
		lost(t, asks, answers, entered, left, answers.Close)
	}},
	{"what waits fails when its own end is closed", func(t *testing.T, connect Connect) {
		h, entered, left := hanging()
		asks, answers := connect(t, Options{Answers: h})
		lost(t, asks, answers, entered, left, asks.Close)
	}},
	{"what has arrived before the end is returned first", func(t *testing.T, connect Connect) {
		var sent atomic.Int64
		h := echo()
		h.Channel = func(ctx context.Context, ch rsocket.Channel) error {
			if err := countUp(ctx, ch, 0, 20, &sent); err != nil {
				return err
			}
			<-ctx.Done()
			return ctx.Err()
		}
		asks, answers := connect(t, Options{Answers: h})
		ch := open(t, asks, "")
		await.Until(t, "all is sent", func() bool { return sent.Load() == 20 })
		if _, err := asks.Call(await.Context(t), text("all of it is here?")); err != nil {
			t.Fatal(err)
		}
		if err := answers.Close(); err != nil {
			t.Error(err)
		}
		await.Value(t, "the end", asks.Done())
		want(t, ch, 0, 20)
		if err := recvError(t, ch); !errors.Is(err, rsocket.ErrClosed) {
			t.Errorf("got %v, want that the connection has ended", err)
		}
	}},
	{"a connection may be closed twice, and by both at once", func(t *testing.T, connect Connect) {
		h, entered, _ := hanging()
		asks, answers := connect(t, Options{Answers: h, Asks: h})
		open(t, asks, "")
		open(t, answers, "")
		for range 2 {
			await.Value(t, "a channel", entered)
		}
		var wg sync.WaitGroup
		for _, end := range []End{asks, answers, asks, answers} {
			wg.Go(func() {
				if err := end.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if err := asks.Close(); err != nil {
			t.Error(err)
		}
		wantClosed(t, asks)
		wantClosed(t, answers)
	}},
	{"a connection may be closed while items flow", func(t *testing.T, connect Connect) {
		for range 5 {
			asks, answers := connect(t, Options{Answers: echo(), Asks: echo()})
			var wg sync.WaitGroup
			for _, end := range []End{asks, answers} {
				for range 4 {
					ch := open(t, end, "0")
					wg.Go(func() {
						for ch.Send(await.Context(t), text("x")) == nil {
						}
					})
					wg.Go(func() {
						for {
							if _, err := ch.Recv(await.Context(t)); err != nil {
								return
							}
						}
					})
					wg.Go(func() {
						for {
							if _, err := end.Call(await.Context(t), text("x")); err != nil {
								return
							}
						}
					})
				}
			}
			if _, err := asks.Call(await.Context(t), text("x")); err != nil {
				t.Error(err)
			}
			if err := answers.Close(); err != nil {
				t.Error(err)
			}
			wg.Wait()
		}
	}},
	{"shutdown lets what is under way finish", func(t *testing.T, connect Connect) {
		asks, answers, release, result := slow(t, connect)
		down := make(chan error, 1)
		go func() { down <- answers.Shutdown(context.Background()) }()
		await.Until(t, "the requester is told", asks.Draining)
		if _, err := asks.Call(await.Context(t), text("new")); !errors.Is(err, rsocket.ErrDraining) {
			t.Errorf("a new request: %v", err)
		}
		finished(t, asks, answers, release, result, down)
	}},
	{"shutdown by the requester lets its requests finish", func(t *testing.T, connect Connect) {
		asks, answers, release, result := slow(t, connect)
		down := make(chan error, 1)
		go func() { down <- asks.Shutdown(context.Background()) }()
		await.Until(t, "the responder is told", answers.Draining)
		if _, err := answers.Call(await.Context(t), text("new")); !errors.Is(err, rsocket.ErrDraining) {
			t.Errorf("a new request: %v", err)
		}
		finished(t, asks, answers, release, result, down)
	}},
	{"shutdown is bounded by its context", func(t *testing.T, connect Connect) {
		asks, answers, release, result := slow(t, connect)
		defer close(release)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		if err := asks.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if err := await.Value(t, "the request", result); !errors.Is(err, rsocket.ErrClosed) {
			t.Errorf("the request: %v", err)
		}
		wantClosed(t, answers)
	}},
	{"who is shut down on is told once", func(t *testing.T, connect Connect) {
		told := make(chan struct{}, 2)
		asks, answers := connect(t, Options{
			Asks:    rsocket.Handler{Closing: func() { told <- struct{}{} }},
			Answers: rsocket.Handler{Closing: func() { t.Error("who shuts down is told") }},
		})
		if err := answers.Shutdown(await.Context(t)); err != nil {
			t.Error(err)
		}
		wantClosed(t, asks)
		if n := len(told); n != 1 {
			t.Errorf("told %d times", n)
		}
	}},
	{"an idle connection shuts down at once", func(t *testing.T, connect Connect) {
		asks, answers := connect(t, Options{Answers: echo()})
		if _, err := asks.Call(await.Context(t), text("x")); err != nil {
			t.Fatal(err)
		}
		if err := asks.Shutdown(await.Context(t)); err != nil {
			t.Error(err)
		}
		wantClosed(t, asks)
		wantClosed(t, answers)
	}},
}

// lost has one of everything under way when close ends the connection.
func lost(t *testing.T, asks, answers End, entered, left chan string, closes func() error) {
	t.Helper()
	results := make(chan error, 4)
	st, ch := stream(t, asks, ""), open(t, asks, "")
	go func() { _, err := asks.Call(context.Background(), rsocket.Payload{}); results <- err }()
	go func() { _, err := st.Recv(context.Background()); results <- err }()
	go func() { _, err := ch.Recv(context.Background()); results <- err }()
	go func() {
		for {
			if err := ch.Send(context.Background(), text("x")); err != nil {
				results <- err
				return
			}
		}
	}()
	if err := asks.FireAndForget(await.Context(t), rsocket.Payload{}); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		await.Value(t, "a request", entered)
	}
	if err := closes(); err != nil {
		t.Error(err)
	}
	for range 4 {
		if err := await.Value(t, "a wait that fails", results); !errors.Is(err, rsocket.ErrClosed) {
			t.Errorf("got %v, want that the connection has ended", err)
		}
		await.Value(t, "a handler is told", left)
	}
	wantClosed(t, asks)
	wantClosed(t, answers)
}

func wantClosed(t *testing.T, end End) {
	t.Helper()
	await.Value(t, "the end", end.Done())
	await.Value(t, "the context's end", end.Context().Done())
	if err := end.Err(); !errors.Is(err, rsocket.ErrClosed) {
		t.Errorf("Err is %v, want ErrClosed", err)
	}
	if !end.Draining() {
		t.Error("a connection that has ended takes requests")
	}
	_, err := end.Call(await.Context(t), rsocket.Payload{})
	_, openErr := end.OpenChannel(await.Context(t), rsocket.Payload{})
	for _, err := range []error{err, openErr, end.FireAndForget(await.Context(t), rsocket.Payload{})} {
		if !errors.Is(err, rsocket.ErrClosed) || !errors.Is(err, rsocket.ErrDraining) {
			t.Errorf("a request on a connection that has ended: %v", err)
		}
	}
	if err := end.PushMetadata(await.Context(t), nil); !errors.Is(err, rsocket.ErrClosed) {
		t.Errorf("metadata on a connection that has ended: %v", err)
	}
}

// slow has a request under way that is answered when release is closed.
func slow(t *testing.T, connect Connect) (asks, answers End, release chan struct{}, result chan error) {
	t.Helper()
	release, result = make(chan struct{}), make(chan error, 1)
	entered := make(chan struct{})
	asks, answers = connect(t, Options{Answers: rsocket.Handler{Response: func(ctx context.Context, p rsocket.Payload) (rsocket.Payload, error) {
		close(entered)
		select {
		case <-release:
			return p, nil
		case <-ctx.Done():
			return rsocket.Payload{}, ctx.Err()
		}
	}}})
	go func() {
		_, err := asks.Call(context.Background(), text("slow"))
		result <- err
	}()
	await.Value(t, "the request", entered)
	return asks, answers, release, result
}

// finished lets the request of slow finish, and wants both ends to end then.
func finished(t *testing.T, asks, answers End, release chan struct{}, result, down chan error) {
	t.Helper()
	select {
	case err := <-down:
		t.Fatalf("Shutdown returned %v before the request was answered", err)
	default:
	}
	close(release)
	if err := await.Value(t, "the request", result); err != nil {
		t.Errorf("the request under way: %v", err)
	}
	if err := await.Value(t, "Shutdown", down); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	wantClosed(t, asks)
	wantClosed(t, answers)
}

var setupCases = []Case{
	{"what the client declares reaches both ends", func(t *testing.T, connect Connect) {
		want := rsocket.Setup{
			KeepAlive: 3 * time.Second, Lifetime: 7 * time.Second, MetadataMIME: "m/1", DataMIME: "d/2",
			Payload: rsocket.Payload{Metadata: []byte("mm"), Data: []byte("dd")},
		}
		asks, answers := connect(t, Options{Setup: want})
		for _, end := range []End{asks, answers} {
			got := end.Setup()
			same(t, "the payload", got.Payload, want.Payload)
			if got.KeepAlive != want.KeepAlive || got.Lifetime != want.Lifetime || got.MetadataMIME != want.MetadataMIME || got.DataMIME != want.DataMIME {
				t.Errorf("got %+v", got)
			}
		}
	}},
	{"what the client does not declare has its defaults", func(t *testing.T, connect Connect) {
		asks, answers := connect(t, Options{})
		for _, end := range []End{asks, answers} {
			if s := end.Setup(); s.KeepAlive != 20*time.Second || s.Lifetime != 90*time.Second || s.MetadataMIME != "application/octet-stream" || s.DataMIME != "application/octet-stream" {
				t.Errorf("got %+v", s)
			}
		}
	}},
	{"a refusal ends the connection with its code", func(t *testing.T, connect Connect) {
		for want, err := range map[rsocket.Error]error{
			{Code: frame.CodeUnsupportedSetup, Message: "not like this"}: &rsocket.Error{Code: frame.CodeUnsupportedSetup, Message: "not like this"},
			{Code: frame.CodeRejectedSetup, Message: "not today"}:        errors.New("not today"),
		} {
			client, server := connect(t, Options{Refuse: err})
			if client == nil {
				client = server
			}
			_, err := client.Call(await.Context(t), rsocket.Payload{})
			wantError(t, err, want.Code, want.Message)
			wantClosed(t, client)
			wantError(t, client.Err(), want.Code, want.Message)
		}
	}},
}
