package nodelayer_test

import (
	"context"
	"testing"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/protocol"
)

type film struct {
	ID    int               `json:"id"`
	Title string            `json:"title"`
	Tags  []string          `json:"tags,omitempty"`
	More  map[string]string `json:"more,omitempty"`
}

type number struct {
	N int `json:"n"`
}

// films is a service whose calls are answered at once.
func films(version string) edgelayer.Service {
	return edgelayer.Service{Name: "films", Version: version, Methods: []edgelayer.Method{
		edgelayer.NewMethod("echo", func(_ context.Context, in film) (film, error) { return in, nil }),
		edgelayer.NewMethod("list", func(_ context.Context, in number) ([]int, error) { return make([]int, in.N), nil }),
		edgelayer.NewMethod("version", func(context.Context, struct{}) (string, error) { return version, nil }),
		edgelayer.NewMethod("none", func(context.Context, struct{}) (*film, error) { return nil, nil }),
		edgelayer.NewMethod("missing", func(context.Context, struct{}) (film, error) {
			return film{}, protocol.Errorf(protocol.NotFound, "no film 7")
		}),
		edgelayer.NewMethod("busy", func(context.Context, struct{}) (film, error) {
			return film{}, protocol.Errorf(protocol.Overloaded, "later")
		}),
		edgelayer.NewMethod("again", func(context.Context, struct{}) (film, error) {
			return film{}, protocol.Errorf(protocol.Unavailable, "come back").Retryable()
		}),
	}}
}

// gate is a service whose calls wait until they are let go or their context ends.
type gate struct {
	entered chan int
	ended   chan int // which saw its context end
	doors   [10]chan struct{}
}

func newGate() (*gate, edgelayer.Service) {
	g := &gate{entered: make(chan int, 100), ended: make(chan int, 100)}
	for i := range g.doors {
		g.doors[i] = make(chan struct{})
	}
	return g, edgelayer.Service{Name: "gate", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("wait", func(ctx context.Context, in number) (int, error) {
			g.entered <- in.N
			select {
			case <-g.doors[in.N]:
				return in.N, nil
			case <-ctx.Done():
				g.ended <- in.N
				return 0, ctx.Err()
			}
		}),
	}}
}

// wantEntered waits until as many calls have begun.
func (g *gate) wantEntered(t testing.TB, calls int) {
	t.Helper()
	for range calls {
		await.Value(t, "a call to begin", g.entered)
	}
}

// wantEnded waits until these calls have seen their context end.
func (g *gate) wantEnded(t testing.TB, calls ...int) {
	t.Helper()
	left := map[int]bool{}
	for _, n := range calls {
		left[n] = true
	}
	for range calls {
		delete(left, await.Value(t, "a call's context to end", g.ended))
	}
	if len(left) > 0 {
		t.Errorf("others have ended instead of %v", left)
	}
}

func (g *gate) letGo(n int) { close(g.doors[n]) }
