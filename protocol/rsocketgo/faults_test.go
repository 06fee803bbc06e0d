package rsocketgo

import (
	"context"
	"errors"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/conformance"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// fault is a case of the suite that can't be had with rsocket-go, and the lesser
// thing that can.
type fault struct {
	side side   // which end rsocket-go has to play for it to show
	what string // the case
	run  func(t *testing.T, connect conformance.Connect)
}

type side int

const (
	asking side = iota
	answering
)

// libraryFaults names every fault: doc.go tells why.
var libraryFaults = []fault{
	// rsocket-go sets the metadata flag by the metadata's length.
	{asking, "empty metadata of a request is told from none", func(t *testing.T, connect conformance.Connect) {
		got := make(chan rsocket.Payload, 1)
		asks, _ := connect(t, conformance.Options{Answers: rsocket.Handler{Response: func(_ context.Context, p rsocket.Payload) (rsocket.Payload, error) {
			got <- p
			return rsocket.Payload{}, nil
		}}})
		if _, err := asks.Call(await.Context(t), rsocket.Payload{Metadata: []byte{}}); err != nil {
			t.Fatal(err)
		}
		if p := <-got; p.Metadata != nil {
			t.Error("empty metadata arrives as such; then the fault is gone")
		}
	}},
	{answering, "empty metadata of an answer is told from none", func(t *testing.T, connect conformance.Connect) {
		asks, _ := connect(t, conformance.Options{Answers: rsocket.Handler{Response: func(context.Context, rsocket.Payload) (rsocket.Payload, error) {
			return rsocket.Payload{Metadata: []byte{}}, nil
		}}})
		p, err := asks.Call(await.Context(t), rsocket.Payload{})
		if err != nil {
			t.Fatal(err)
		}
		if p.Metadata != nil {
			t.Error("empty metadata arrives as such; then the fault is gone")
		}
	}},

	// rsocket-go cuts the payload into fragments and says Complete with the first
	// one of a reply; so nothing is sent that has to be cut.
	{asking, "a request larger than a frame arrives", func(t *testing.T, connect conformance.Connect) {
		asks, _ := connect(t, conformance.Options{Answers: echo})
		if _, err := asks.Call(await.Context(t), conformance.Large); !errors.Is(err, rsocket.ErrTooLarge) {
			t.Errorf("got %v, want ErrTooLarge", err)
		}
		wantAnswer(t, asks)
	}},
	{answering, "an answer larger than a frame arrives", func(t *testing.T, connect conformance.Connect) {
		large := true
		asks, _ := connect(t, conformance.Options{Answers: rsocket.Handler{Response: func(_ context.Context, p rsocket.Payload) (rsocket.Payload, error) {
			if large {
				large = false
				return conformance.Large, nil
			}
			return p, nil
		}}})
		_, err := asks.Call(await.Context(t), rsocket.Payload{})
		if e, ok := errors.AsType[*rsocket.Error](err); !ok || e.Code != frame.CodeApplication || !e.Remote {
			t.Errorf("got %v, want APPLICATION_ERROR", err)
		}
		wantAnswer(t, asks)
	}},

	// A responder tells a requester to stop with CANCEL, which ends the process
	// of a peer by rsocket-go; so it is not said. The requester gets no more
	// credit: it may send what it has credit for, if any, and then waits for its context.
	{answering, "a responder that leaves stops the requester", func(t *testing.T, connect conformance.Connect) {
		const window = 8
		asks, _ := connect(t, conformance.Options{
			Config:  rsocket.Config{Window: window},
			Answers: rsocket.Handler{Channel: conformance.LeavesAtOnce, Response: echo.Response},
		})
		ch, err := asks.OpenChannel(await.Context(t), rsocket.Payload{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		sent := 0
		for err == nil {
			if err = ch.Send(ctx, rsocket.Payload{}); err == nil {
				sent++
			}
		}
		if !errors.Is(err, context.DeadlineExceeded) || sent > window {
			t.Errorf("%d items, then %v; want %d at most, and that the next waits", sent, err, window)
		}
		ch.Cancel() // as the requester has to, which has seen the responder's end
		wantAnswer(t, asks)
	}},
}

// faults are those that show between two ends.
func faults(asks, answers player) []conformance.Case {
	var cases []conformance.Case
	for _, f := range libraryFaults {
		if f.side == asking && asks == carried || f.side == answering && answers == carried {
			cases = append(cases, conformance.Case{Name: f.what, Run: f.run})
		}
	}
	return cases
}

var echo = rsocket.Handler{Response: func(_ context.Context, p rsocket.Payload) (rsocket.Payload, error) { return p, nil }}

// wantAnswer wants the connection to be unharmed.
func wantAnswer(t *testing.T, asks conformance.End) {
	t.Helper()
	if p, err := asks.Call(await.Context(t), rsocket.Payload{Data: []byte("still there?")}); err != nil || string(p.Data) != "still there?" {
		t.Errorf("got %q, %v", p.Data, err)
	}
}
