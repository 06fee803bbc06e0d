package contender_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/tier"
	"warmline.dev/internal/await"
)

// The test binary is a program that drives the adapter on Node.js, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "drive" {
		drive()
		return
	}
	os.Exit(m.Run())
}

func drive() {
	c, err := contender.Find("node")
	if err != nil {
		panic(err)
	}
	if _, err := c.Dial(context.Background(), []string{"127.0.0.1:1"}, contender.Load{Concurrency: 1}); err != nil {
		panic(err)
	}
	fmt.Println(os.Getpid())
	select {}
}

func node(t *testing.T) contender.Contender {
	t.Helper()
	c, err := contender.Find("node")
	if err != nil {
		t.Fatal(err)
	}
	present(t, c)
	return c
}

func dial(t *testing.T, ctx context.Context, c contender.Contender, addresses ...string) contender.Client {
	t.Helper()
	client, err := c.Dial(ctx, addresses, contender.Load{Concurrency: 4})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func passport(t *testing.T) []byte {
	t.Helper()
	all, err := tier.Passports()
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

// What the adapter uses is told while it runs, and why it ended afterwards.
func TestNodeIsElsewhere(t *testing.T) {
	c := node(t)
	ctx, end := context.WithCancel(await.Context(t))
	defer end()
	client := dial(t, ctx, c, serve(t, c))
	elsewhere := client.(contender.Elsewhere)
	if _, err := os.Stat("/proc/self/stat"); err == nil {
		before := elsewhere.Usage()
		if before.Memory < 10<<20 {
			t.Errorf("it runs in %d bytes", before.Memory)
		}
		await.Until(t, "jobs cost the adapter time", func() bool {
			if _, err := client.Page(ctx, passport(t)); err != nil {
				t.Fatal(err)
			}
			return elsewhere.Usage().CPU > before.CPU
		})
	}
	end()
	await.Until(t, "the adapter is gone", func() bool {
		_, err := client.Page(await.Context(t), passport(t))
		return err != nil && strings.Contains(err.Error(), "the adapter on Node.js: signal: killed")
	})
	if u := elsewhere.Usage(); u != (harness.Usage{}) {
		t.Errorf("what is gone uses %+v", u)
	}
}

// An answer that is none is told with who gave it: the edge, or nobody.
func TestNodeTellsWhatTheEdgeSaid(t *testing.T) {
	c := node(t)
	client := dial(t, await.Context(t), c, serve(t, c))
	if _, err := client.Chain(t.Context(), []byte("forged"), 1); err == nil || !strings.Contains(err.Error(), "401 Unauthorized") || !strings.Contains(err.Error(), "/next?n=0: 401: ") {
		t.Error(err)
	}
	if _, err := client.Fan(t.Context(), passport(t), 0); err == nil || !strings.Contains(err.Error(), "width must be >= 1") {
		t.Error(err)
	}
	client = dial(t, await.Context(t), c, "127.0.0.1:1")
	if _, err := client.Page(t.Context(), passport(t)); err == nil || !strings.Contains(err.Error(), "ECONNREFUSED") {
		t.Error(err)
	}
}

// However its driver ends, the adapter is not left behind.
func TestNodeEndsWithItsDriver(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc tells whose process is whose")
	}
	node(t)
	ctx, kill := context.WithCancel(await.Context(t))
	defer kill()
	driver, err := harness.Start(ctx, "the driver", "drive")
	if err != nil {
		t.Fatal(err)
	}
	pid, err := driver.Line()
	if err != nil {
		t.Fatal(err)
	}
	adapters := children(t, pid)
	if len(adapters) != 1 {
		t.Fatalf("processes of the driver: %v", adapters)
	}
	kill()
	if _, err := driver.Line(); err == nil {
		t.Error("the driver lives on")
	}
	await.Until(t, "the adapter ends", func() bool { return harness.UsageOf(adapters[0]).Memory == 0 })
}

// children are the processes that a process has started.
func children(t *testing.T, pid string) (ids []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all {
		b, _ := os.ReadFile(file) // empty if it has ended
		_, rest, _ := strings.Cut(string(b), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == pid {
			id, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
	}
	return ids
}

// A device that goes away takes its questions with it.
func TestNodeGivesUpForADeviceThatGoesAway(t *testing.T) {
	c := node(t)
	asked, gone := make(chan struct{}), make(chan struct{})
	edge := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
		close(gone)
	}))
	defer edge.Close()
	client := dial(t, t.Context(), c, edge.Listener.Addr().String()) // it lives longer than is waited for
	ctx, leave := context.WithCancel(await.Context(t))
	defer leave()
	failed := make(chan error, 1)
	go func() {
		_, err := client.Page(ctx, passport(t))
		failed <- err
	}()
	await.Value(t, "the edge is asked", asked)
	leave()
	if err := await.Value(t, "the job fails", failed); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	await.Value(t, "the edge is told", gone)
}

func TestWhoIsAbsentIsLeftOutWithAReason(t *testing.T) {
	node(t)
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	t.Setenv("npm_config_offline", "true")
	t.Setenv("npm_config_cache", t.TempDir())
	var said strings.Builder
	there, err := contender.Present(t.Context(), []string{"node", "http1", "node"}, &said)
	if err != nil || len(there) != 1 || there[0].Name != "http1" {
		t.Errorf("%v, %v", there, err)
	}
	if !strings.HasPrefix(said.String(), "node is left out: npm ci: exit status") || !strings.Contains(said.String(), "ENOTCACHED") || strings.Count(said.String(), "\n") != 1 {
		t.Errorf("it said %q", said.String())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := contender.Present(ctx, []string{"node", "http1"}, &said); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	left, err := filepath.Glob(filepath.Join(cache, "warmline-bench", "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, err := contender.Present(t.Context(), []string{"soap"}, &said); err == nil || !strings.Contains(err.Error(), `no contender "soap"`) {
		t.Error(err)
	}
	said.Reset()
	t.Setenv("PATH", "")
	if _, err := contender.Present(t.Context(), []string{"node"}, &said); err == nil || !strings.Contains(err.Error(), "none of node can run") {
		t.Error(err)
	}
	if !strings.Contains(said.String(), "Node.js with npm is needed") {
		t.Errorf("it said %q", said.String())
	}
}

func TestTheHeadHasTheVersionsOfNode(t *testing.T) {
	head := harness.NewHead("job", harness.Method{})
	node(t).AddTo(&head)
	for _, name := range []string{"node", "fastify", "undici"} {
		if head.Versions[name] == "" {
			t.Errorf("no version of %s: %v", name, head.Versions)
		}
	}
}
