package memory_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/pieces/memory"
	"warmline.dev/edgelayer"
	"warmline.dev/internal/serving"
)

// The test binary is the adapter's process, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "adapter" {
		if err := memory.Ask(os.Args[2:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// Built with the race detector each process would sleep for a second at its end.
	_ = os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0") // fails for bad names only
	goleak.VerifyTestMain(m)
}

// edge serves a store and returns where, and how many calls it has answered.
func edge(t *testing.T) (address string, answered func() int64) {
	t.Helper()
	store, err := memory.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	s, err := edgelayer.New(edgelayer.Config{Services: store.Services()})
	if err != nil {
		t.Fatal(err)
	}
	return serving.Start(t, s.Serve, s.Close), func() int64 { return s.Stats().Calls }
}

func start(t *testing.T, args ...string) *harness.Process {
	t.Helper()
	p, err := harness.Start(t.Context(), "adapter", append([]string{"adapter"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop() })
	return p
}

func TestEveryCallIsAnswered(t *testing.T) {
	for _, method := range []string{memory.Value, memory.Bytes, memory.Declared} {
		t.Run(method, func(t *testing.T) {
			address, answered := edge(t)
			p := start(t, memory.Asking{Method: method, Conversations: 2, Calls: 40, InFlight: 7}.Args(address)...)
			for round := range 2 {
				if err := memory.Hold(p, 3); err != nil {
					t.Fatal(err)
				}
				if got, want := answered(), int64(3*40*(round+1)); got != want {
					t.Errorf("%d calls were made, want %d", got, want)
				}
			}
			if err := p.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAdapterSaysWhatIsWrong(t *testing.T) {
	address, _ := edge(t)
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"no such method": {memory.Asking{Method: "memory.nothing", Conversations: 1, Calls: 1, InFlight: 1}.Args(address), "want a reply"},
		"asked twice":    {memory.Asking{Method: memory.Bytes, Conversations: 1, Calls: memory.Films + 1, InFlight: 64}.Args(address), "had not heard before"},
		"nobody there":   {memory.Asking{Method: memory.Bytes, Conversations: 1, Calls: 1, InFlight: 1}.Args("tcp://127.0.0.1:1"), "connect"},
		"none in flight": {memory.Asking{Method: memory.Bytes, Conversations: 1, Calls: 1}.Args(address), `"0": expected a number of at least 1`},
		"few arguments":  {[]string{address}, "1 arguments of an adapter, expected 5"},
	} {
		if err := memory.Hold(start(t, tt.args...), 1); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want one with %q", name, err, tt.want)
		}
	}
}
