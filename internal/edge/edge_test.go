package edge_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/edge"
	"warmline.dev/nodelayer"
	"warmline.dev/protocol/mistake"
)

// A thousand conversations, and ten thousand with WARMLINE_LOAD, as CI has it, ask one
// key that has expired: one request goes to the source, and all are answered.
func TestAThunderingHerdIsOneRequest(t *testing.T) {
	herd := 1000
	if os.Getenv("WARMLINE_LOAD") != "" {
		herd = 10_000
	}
	f := newFilms(t)
	e, _ := start(t, f.declaration("1.0.0", "ttl: 100ms, jitter: off, refresh_ahead: off, stale: off"), func(cfg *edge.Config) { cfg.MaxAtOnce = -1 })
	var lines []*nodelayer.Edge
	for range 20 {
		lines = append(lines, dial(t, e, nil))
	}
	if got, err := ask(t, lines[0], "17"); err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	time.Sleep(150 * time.Millisecond) // past the TTL
	f.version.Store(2)
	hold := make(chan struct{}) // until all have asked
	f.hold.Store(&hold)
	before := f.requests.Load()
	var wg sync.WaitGroup
	for i := range herd {
		wg.Go(func() {
			got, err := ask(t, lines[i%len(lines)], "17")
			if err != nil || len(got) != 1 || got[0].Version != 2 {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
	await.Until(t, "all have asked", func() bool { return e.Stats().Caches["films.film"].Misses == int64(herd)+1 })
	close(hold)
	wg.Wait()
	if n := f.requests.Load() - before; n != 1 {
		t.Errorf("%d requests", n)
	}
}

// A thousand keys are asked for within a moment, each in a conversation of its own:
// ten requests of a hundred.
func TestKeysOfAMomentAreBatched(t *testing.T) {
	f := newFilms(t)
	text := strings.Replace(f.declaration("1.0.0", "ttl: 1m"), "within: 5ms", "within: 3s", 1) // however slow the machine
	e, _ := start(t, text, func(cfg *edge.Config) { cfg.MaxAtOnce = -1 })
	line := dial(t, e, nil)
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			if got, err := ask(t, line, fmt.Sprint(i)); err != nil || len(got) != 1 || got[0].ID != fmt.Sprint(i) {
				t.Errorf("%d: %v, %v", i, got, err)
			}
		})
	}
	wg.Wait()
	if n := f.requests.Load(); n != 10 {
		t.Errorf("%d requests", n)
	}
}

func TestReload(t *testing.T) {
	f := newFilms(t)
	e, file := start(t, f.declaration("1.0.0", "ttl: 1m"), nil)
	line := dial(t, e, map[string]string{"films": ">=1"})
	want := func(version string) {
		t.Helper()
		await.Until(t, "the line to have films "+version, func() bool { return line.Resolved()["films"] == version })
	}
	if _, err := ask(t, line, "17"); err != nil {
		t.Fatal(err)
	}
	want("1.0.0")
	f.version.Store(2)

	// Changed, and the file is looked at.
	write(t, file, f.declaration("1.1.0", "ttl: 1m"))
	want("1.1.0")
	if got, err := ask(t, line, "17"); err != nil || got[0].Version != 0 || f.requests.Load() != 1 {
		t.Errorf("what is declared as it was stays warm: %v, %v", got, err)
	}

	// With a mistake: all stays.
	write(t, file, f.declaration("1.2.0", "ttl: soon"))
	time.Sleep(1500 * time.Millisecond)
	e.Reload()
	want("1.1.0")
	if _, err := ask(t, line, "17"); err != nil {
		t.Error(err)
	}

	// Another policy: it stays warm too.
	write(t, file, f.declaration("1.3.0", "ttl: 2m"))
	e.Reload()
	want("1.3.0")
	if got, err := ask(t, line, "17"); err != nil || got[0].Version != 0 || f.requests.Load() != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

// A conversation goes on with what it began with, however often is reloaded.
func TestReloadDisturbsNobody(t *testing.T) {
	f := newFilms(t)
	e, file := start(t, f.declaration("1.0.0", "ttl: 1ms"), nil)
	line := dial(t, e, map[string]string{"films": ">=1"})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	asked := 0
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := ask(t, line, fmt.Sprint(asked)); err != nil {
				t.Errorf("call %d: %v", asked, err)
			}
			asked++
		}
	})
	for i := range 20 {
		write(t, file, f.declaration(fmt.Sprintf("1.%d.0", i+1), fmt.Sprintf("ttl: %dms", i+1)))
		e.Reload()
		time.Sleep(10 * time.Millisecond)
	}
	close(stop)
	wg.Wait()
	if asked < 20 {
		t.Errorf("%d calls", asked)
	}
}

func TestNothingStartsWithMistakes(t *testing.T) {
	f := newFilms(t)
	_, err := edge.Start(t.Context(), edge.Config{Text: []byte(f.declaration("one", "ttl: soon"))})
	mistakes, ok := errors.AsType[mistake.List](err)
	if !ok || len(mistakes) != 2 {
		t.Errorf("%v", err)
	}
	for name, tt := range map[string]struct {
		change func(cfg *edge.Config)
		why    string
	}{
		"bus":               {func(cfg *edge.Config) { cfg.Bus = "http://x" }, "nats://host:4222"},
		"no such file":      {func(cfg *edge.Config) { cfg.File = "no/such.yaml" }, "no/such.yaml"},
		"nobody's URL":      {func(cfg *edge.Config) { cfg.URLs = map[string]string{"nobody": "http://127.0.0.1:1"} }, "films"},
		"a peer":            {func(cfg *edge.Config) { cfg.Peers = []string{"tcp://127.0.0.1:1", "nonsense"} }, "tcp://HOST:PORT"},
		"a peer's name":     {func(cfg *edge.Config) { cfg.Peers = []string{"dns+tcp://edges"} }, "tcp://HOST:PORT"},
		"a directory":       {func(cfg *edge.Config) { cfg.HotKeys = t.TempDir() }, "is no file"},
		"no such directory": {func(cfg *edge.Config) { cfg.HotKeys = "no/such/hot.keys" }, "no directory no/such"},
	} {
		cfg := edge.Config{Text: []byte(f.declaration("1.0.0", "ttl: 1m"))}
		tt.change(&cfg)
		_, err := edge.Start(t.Context(), cfg)
		if _, ok := errors.AsType[edge.ConfigError](err); !ok || !strings.Contains(err.Error(), tt.why) {
			t.Errorf("%s: %v, want %q in it", name, err, tt.why)
		}
	}
	cfg := edge.Config{Text: []byte(f.declaration("1.0.0", "ttl: 1m")), Admin: "127.0.0.1:999999"}
	if _, err := edge.Start(t.Context(), cfg); err == nil {
		t.Error("an admin port that there can't be was taken")
	}
}
