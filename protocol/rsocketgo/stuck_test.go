package rsocketgo

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// A pipe has no buffer: what is written waits until it is read.

func TestAPeerThatNeverReadsHoldsNobodyUp(t *testing.T) {
	near, far := net.Pipe()
	defer func() { _ = far.Close() }()
	c, err := Client(near, rsocket.Setup{}, rsocket.Handler{}, rsocket.Config{WriteTimeout: -1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	for err == nil { // as many as there is room for
		err = c.FireAndForget(ctx, rsocket.Payload{Data: make([]byte, 1000)})
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("fire-and-forget: %v", err)
	}
	ctx, cancel = context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := c.Call(ctx, rsocket.Payload{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("request-response: %v", err)
	}
	if err := c.PushMetadata(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("push: %v", err)
	}
	closed := make(chan error, 1)
	go func() { closed <- c.Close() }()
	if err := await.Value(t, "Close", closed); err != nil {
		t.Error(err)
	}
}

func TestAPeerThatNeverReadsIsGivenUp(t *testing.T) {
	near, far := net.Pipe()
	defer func() { _ = far.Close() }()
	c, err := Client(near, rsocket.Setup{}, rsocket.Handler{}, rsocket.Config{WriteTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Call(await.Context(t), rsocket.Payload{})
	if !errors.Is(err, rsocket.ErrClosed) {
		t.Errorf("got %v", err)
	}
	await.Value(t, "the end", c.Done())
}

// What a peer makes this side owe it, and does not read, is bounded.
func TestAPeerThatAsksAndDoesNotReadIsGivenUp(t *testing.T) {
	s, err := NewServer(func(context.Context, *Conn) (rsocket.Handler, error) { return rsocket.Handler{}, nil }, rsocket.Config{WriteTimeout: -1})
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	served := make(chan struct{})
	go func() { defer close(served); s.ServeConn(near) }()
	var conn *Conn
	await.Until(t, "there is a connection", func() bool {
		for _, conn = range s.Conns() {
			return true
		}
		return false
	})
	p := &peer{t, far}
	p.write(setupFrame())
	for id := uint32(1); ; id += 2 {
		f := request(id, "")
		if _, err := far.Write(append([]byte{0, 0, byte(len(f))}, f...)); err != nil {
			if id < mostOwed/100 {
				t.Errorf("given up after %d requests: %v", id/2, err)
			}
			break
		}
	}
	await.Value(t, "the end", served)
	if e, ok := errors.AsType[*rsocket.Error](conn.Err()); !ok || e.Code != frame.CodeConnectionError || e.Message != errNotRead.Error() {
		t.Errorf("Err is %v", conn.Err())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestAConnectionWhoseIDsAreUsedUpDrains(t *testing.T) {
	c, p := rawServer(t, echo, rsocket.Config{})
	c.asking.Lock()
	c.nextID = frame.MaxCredit
	c.asking.Unlock()
	if err := c.FireAndForget(await.Context(t), rsocket.Payload{}); err != nil {
		t.Fatal(err)
	}
	if err := c.FireAndForget(await.Context(t), rsocket.Payload{}); !errors.Is(err, rsocket.ErrDraining) {
		t.Errorf("got %v", err)
	}
	p.want("REQUEST_FNF 1", "EOF") // the id is the library's, which knows nothing of this
}

// A request that is given up as the connection ends must not be forgotten by
// both: rsocket-go would keep it, and the connection would not come to its end.
func TestARequestMayBeGivenUpAsTheConnectionEnds(t *testing.T) {
	for range 300 {
		near, far := rsocket.Pipe()
		c, err := Client(near, rsocket.Setup{}, rsocket.Handler{}, rsocket.Config{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		results := make(chan error, 4)
		for range cap(results) {
			go func() { _, err := c.Call(ctx, rsocket.Payload{}); results <- err }()
		}
		await.Until(t, "requests are under way", func() bool { return c.InFlight() > 0 })
		go cancel()
		closed := make(chan error, 1)
		go func() { closed <- c.Close() }()
		for range cap(results) {
			if err := await.Value(t, "a result", results); !errors.Is(err, context.Canceled) && !errors.Is(err, rsocket.ErrClosed) {
				t.Fatal(err)
			}
		}
		if err := await.Value(t, "Close", closed); err != nil {
			t.Fatal(err)
		}
		_ = far.Close()
	}
}
