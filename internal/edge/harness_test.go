package edge_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"warmline.dev/internal/await"
	"warmline.dev/internal/edge"
	"warmline.dev/nodelayer"
	"warmline.dev/passport"
	"warmline.dev/protocol/rsocket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// films is a mid-tier service: any id is a film, of some version.
type films struct {
	url      string
	requests atomic.Int64
	version  atomic.Int64
	hold     atomic.Pointer[chan struct{}] // answers wait until it is closed; nil: they don't
}

func newFilms(t *testing.T) *films {
	t.Helper()
	f := &films{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.requests.Add(1)
		v := f.version.Load()
		if hold := f.hold.Load(); hold != nil {
			<-*hold
		}
		type film struct {
			ID      string `json:"id"`
			Version int64  `json:"version"`
		}
		var list []film
		for id := range strings.SplitSeq(r.URL.Query().Get("ids"), ",") {
			list = append(list, film{id, v})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"films": list})
	}))
	t.Cleanup(s.Close)
	f.url = s.URL
	return f
}

// declaration is that of an edge in front of the films.
func (f *films) declaration(version, cache string) string {
	return fmt.Sprintf(`
sources:
  films:
    url: %s
    timeout: 5m
    reads:
      film:
        get: /films?ids={id}
        batch: {each: id, most: 100, within: 5ms, items: films, key: id}
        cache: {%s}
services:
  films:
    %s:
      films: {read: films.film, args: {ids: {list: string, most: 200}}, each: {ids: id}, as: films, pick: [id, version]}
`, f.url, cache, version)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func newKeys(t *testing.T) *passport.Keyring {
	t.Helper()
	keys, err := passport.NewKeyring(passport.NewKey("k1"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// start starts an edge whose declaration is that text, in a file of its own.
func start(t *testing.T, text string, change func(cfg *edge.Config)) (e *edge.Edge, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "edge.yaml")
	write(t, file, text)
	cfg := edge.Config{
		Version: "0.0.0", File: file, Keys: newKeys(t), Admin: "127.0.0.1:0", Log: zerolog.Nop(),
		Listen: func(ctx context.Context) (net.Listener, string, error) {
			l, err := rsocket.Listen(ctx, "tcp://127.0.0.1:0")
			if err != nil {
				return nil, "", err
			}
			return l, "tcp://" + l.Addr().String(), nil
		},
	}
	if change != nil {
		change(&cfg)
	}
	e, err := edge.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Shutdown(await.Context(t)); err != nil {
			t.Error(err)
		}
	})
	return e, file
}

// dial is an adapter's line.
func dial(t *testing.T, e *edge.Edge, wants map[string]string) *nodelayer.Edge {
	t.Helper()
	line, err := nodelayer.Dial(await.Context(t), nodelayer.Config{Edges: []string{e.Address()}, Name: "tv", Version: "1.0.0", Wants: wants})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = line.Close() })
	return line
}

type film struct {
	ID      string `json:"id"`
	Version int64  `json:"version"`
}

// ask asks for films in a conversation.
func ask(t *testing.T, line *nodelayer.Edge, ids ...string) ([]film, error) {
	conv := line.Converse(t.Context())
	defer conv.Close()
	got, err := nodelayer.Call[struct {
		Films []film `json:"films"`
	}](t.Context(), conv, "films.films", map[string]any{"ids": ids})
	return got.Films, err
}
