package edgelayer_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/protocol"
)

type text struct {
	Text string `json:"text"`
}

type number struct {
	N int `json:"n"`
}

// catalogue is a service whose one method tells its version.
func catalogue(version string) edgelayer.Service {
	return edgelayer.Service{Name: "catalogue", Version: version, Methods: []edgelayer.Method{
		edgelayer.NewMethod("version", func(context.Context, struct{}) (string, error) { return version, nil }),
	}}
}

// echo is a service of methods that answer at once, each in its own way.
func echo() edgelayer.Service {
	return edgelayer.Service{Name: "echo", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("say", func(_ context.Context, in text) (text, error) { return in, nil }),
		edgelayer.NewMethod("big", func(_ context.Context, in number) (text, error) { return text{strings.Repeat("b", in.N)}, nil }),
		edgelayer.NewMethod("panic", func(context.Context, text) (text, error) { panic("secret of the panic") }),
		edgelayer.NewMethod("plain", func(context.Context, struct{}) (text, error) { return text{}, errors.New("it broke") }),
		edgelayer.NewMethod("missing", func(context.Context, struct{}) (text, error) {
			return text{}, protocol.Errorf(protocol.NotFound, "no such video")
		}),
		edgelayer.NewMethod("again", func(context.Context, struct{}) (text, error) {
			return text{}, protocol.Errorf(protocol.Unavailable, "come back").Retryable()
		}),
		edgelayer.NewMethod("left", func(ctx context.Context, _ struct{}) (string, error) {
			deadline, ok := ctx.Deadline()
			if !ok {
				return "for ever", nil
			}
			return time.Until(deadline).String(), nil
		}),
		edgelayer.NewMethod("trace", func(ctx context.Context, _ struct{}) (string, error) { return protocol.Traceparent(ctx), nil }),
	}}
}

// gate is a service whose calls wait, told apart by number: gate.wait until it is
// let go or its context ends, gate.read the same and declared to read, gate.hold until it is let go whatever its context
// does.
type gate struct {
	entered chan int
	ended   chan error // why the context of a gate.wait ended
	doors   [10]chan struct{}
}

func newGate(t testing.TB) (*gate, edgelayer.Service) {
	g := &gate{entered: make(chan int, 100), ended: make(chan error, 100)}
	for i := range g.doors {
		g.doors[i] = make(chan struct{})
	}
	over := t.Context().Done() // before the edge is closed, which waits for its methods
	wait := func(ctx context.Context, in number) (number, error) {
		g.entered <- in.N
		select {
		case <-g.doors[in.N]:
			return in, nil
		case <-ctx.Done():
			g.ended <- ctx.Err()
			return in, ctx.Err()
		}
	}
	hold := func(_ context.Context, in number) (number, error) {
		g.entered <- in.N
		select {
		case <-g.doors[in.N]:
		case <-over:
		}
		return in, nil
	}
	return g, edgelayer.Service{Name: "gate", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("wait", wait), edgelayer.NewMethod("hold", hold), edgelayer.NewMethod("read", wait, edgelayer.Reads()),
	}}
}

// wantEntered waits until as many calls have begun.
func (g *gate) wantEntered(t testing.TB, calls int) {
	t.Helper()
	for range calls {
		await.Value(t, "a call to begin", g.entered)
	}
}

// wantEnded waits until as many calls have seen their context end.
func (g *gate) wantEnded(t testing.TB, calls int, why error) {
	t.Helper()
	for range calls {
		if err := await.Value(t, "a call's context to end", g.ended); !errors.Is(err, why) {
			t.Errorf("the context ended with %v, want %v", err, why)
		}
	}
}

func (g *gate) letGo(n int) { close(g.doors[n]) }
