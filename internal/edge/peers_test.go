package edge_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/edge"
	"warmline.dev/protocol/rsocket"
)

// reserve is an address that is free, for an edge that others know beforehand.
func reserve(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "tcp://" + l.Addr().String()
}

func at(address string) func(ctx context.Context) (net.Listener, string, error) {
	return func(ctx context.Context) (net.Listener, string, error) {
		l, err := rsocket.Listen(ctx, address)
		return l, address, err
	}
}

// Edges that have each other as peers are stopped all at once, as with one that is
// its own peer: there is nobody to hand over to, and nobody to wait for.
func TestEdgesThatStopAtOnce(t *testing.T) {
	f := newFilms(t)
	a, b := reserve(t), reserve(t)
	for name, peers := range map[string][][]string{
		"each other's": {{a, b}, {b, a}},
		"its own":      {{a, a}},
		"nobody's":     {{a, reserve(t)}},
	} {
		t.Run(name, func(t *testing.T) {
			var edges []*edge.Edge
			for _, p := range peers {
				began := time.Now()
				e, _ := start(t, f.declaration("1.0.0", "ttl: 1m"), func(cfg *edge.Config) {
					cfg.Listen, cfg.Peers, cfg.WarmUp = at(p[0]), p[1:], time.Minute
				})
				if took := time.Since(began); took > 20*time.Second {
					t.Errorf("it took %v to start", took)
				}
				if _, err := ask(t, dial(t, e, nil), "1", "2"); err != nil {
					t.Fatal(err)
				}
				edges = append(edges, e)
			}
			var wg sync.WaitGroup
			for _, e := range edges {
				wg.Go(func() {
					began := time.Now()
					if err := e.Shutdown(t.Context()); err != nil {
						t.Error(err)
					}
					if took := time.Since(began); took > 20*time.Second {
						t.Errorf("it took %v to stop", took)
					}
				})
			}
			wg.Wait()
		})
	}
}

// An edge that is told to stop while it gets warm, by a peer that takes for ever,
// stops.
func TestToldToStopWhileItGetsWarm(t *testing.T) {
	f := newFilms(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // it takes connections, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	hot := filepath.Join(t.TempDir(), "hot.keys")
	list := `{"caches":[{"cache":"films.film","shape":"x","keys":["1"]}]}`
	write(t, hot, list)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	began := time.Now()
	e, err := edge.Start(ctx, edge.Config{
		Version: "0.0.0", Text: []byte(f.declaration("1.0.0", "ttl: 1m")), Keys: newKeys(t), HotKeys: hot,
		Listen: at(reserve(t)), Peers: []string{"tcp://" + silent.Addr().String()}, WarmUp: time.Hour,
	})
	if err == nil {
		err = e.Shutdown(await.Context(t))
	}
	if took := time.Since(began); !errors.Is(err, context.Canceled) || took > 20*time.Second {
		t.Errorf("%v after %v", err, took)
	}
	if kept, err := os.ReadFile(hot); err != nil || string(kept) != list {
		t.Errorf("the list of what was hot is %q, %v", kept, err)
	}
}
