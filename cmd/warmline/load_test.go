package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"warmline.dev/internal/proctest"
)

// The tests of this file put a steady load on real processes while these are
// killed, frozen and replaced. They use a binary without the race detector, which
// would not carry the load.
//
// The load is light, so that they run beside others. With WARMLINE_LOAD=30s it is
// 1,000 device requests a second for as long, which takes the machine for itself:
// CI runs them so, alone.

// load is what one test puts on.
type load struct {
	perSecond int
	lasts     time.Duration
	budget    string // of a device request
}

func theLoad(t *testing.T) load {
	t.Helper()
	text := os.Getenv("WARMLINE_LOAD")
	if text == "" {
		return load{perSecond: 50, lasts: 4 * time.Second, budget: "5s"}
	}
	lasts, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal("WARMLINE_LOAD: ", err)
	}
	return load{perSecond: 1000, lasts: lasts, budget: "2s"}
}

var plainBinary = sync.OnceValues(func() (string, error) {
	file := filepath.Join(filepath.Dir(binary), "warmline-plain")
	out, err := exec.Command("go", "build", "-race=false", "-o", file, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build: %w: %s", err, out)
	}
	return file, err
})

// fleet is a system with more than one of what can be lost.
type fleet struct {
	t        *testing.T
	load     load
	binary   string
	keys     string
	sources  []string // arguments of an edge
	edgesAt  []string
	edges    []*proctest.Process
	nodes    []*proctest.Process
	gateways string // where nodes dial
	web      string
	urls     map[string]string // of the sample services

	mayDegrade string // the part that pages may come without; "": none
}

func startFleet(t *testing.T) *fleet {
	t.Helper()
	return startFleetWith(t)
}

// startFleetWith starts it with more arguments for the edges.
func startFleetWith(t *testing.T, edgeArgs ...string) *fleet {
	t.Helper()
	plain, err := plainBinary()
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{t: t, load: theLoad(t), binary: plain, keys: filepath.Join(t.TempDir(), "warmline.keys"), sources: edgeArgs, urls: map[string]string{}}
	key, _, code := run(t, "key")
	if err := os.WriteFile(f.keys, []byte(key), 0o600); err != nil || code != 0 {
		t.Fatal("warmline key failed: ", err)
	}
	port := freePorts(t, len(sampleNames)+2)
	sample := f.start("sample", "--base-port", strconv.Itoa(port))
	for _, name := range sampleNames {
		f.urls[name] = sample.Expect(`^` + name + ` at (\S+)$`)[0]
		f.sources = append(f.sources, "--source", name+"="+f.urls[name])
	}
	for i := range 2 {
		f.edgesAt = append(f.edgesAt, fmt.Sprintf("tcp://127.0.0.1:%d", port+len(sampleNames)+i))
		f.edges = append(f.edges, f.startEdge(i))
	}
	gateway := f.start("gateway", "--http", "127.0.0.1:0", "--listen", "tcp://127.0.0.1:0", "--passport-keys", f.keys, "--budget", f.load.budget)
	at := gateway.Expect(`^gateway at (\S+), lines at (\S+)$`)
	f.web, f.gateways = at[0], at[1]
	for range 2 {
		node := f.start("node", "--edge", strings.Join(f.edgesAt, ","), "--gateway", f.gateways)
		node.Expect(`^adapter tv@2.0.0 is offered`)
		f.nodes = append(f.nodes, node)
	}
	return f
}

func (f *fleet) start(args ...string) *proctest.Process {
	f.t.Helper()
	return proctest.Start(f.t, exec.Command(f.binary, append(args, "--log-level", "warn")...))
}

func (f *fleet) startEdge(i int) *proctest.Process {
	f.t.Helper()
	args := append([]string{"edge", "--listen", f.edgesAt[i], "--passport-keys", f.keys}, f.sources...)
	p := f.start(args...)
	p.Expect(`^edge at `)
	return p
}

// report is what came of a load.
type report struct {
	sent, failed int
	failures     map[string]int
	latencies    []time.Duration
}

func (r *report) String() string {
	slices.Sort(r.latencies)
	at := func(q float64) time.Duration {
		return r.latencies[int(q*float64(len(r.latencies)-1))].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("%d device requests, %d failed; p50 %v, p99 %v, longest %v", r.sent, r.failed, at(0.5), at(0.99), at(1))
}

// fill makes requests at the load's rate and returns when all have been answered.
func (r *report) fill(l load, request func() (why string)) {
	const step = 5 * time.Millisecond
	var mu sync.Mutex
	var wg sync.WaitGroup
	tick := time.NewTicker(step)
	defer tick.Stop()
	for begun := time.Now(); time.Since(begun) < l.lasts; <-tick.C {
		for ; r.sent < int(time.Since(begun).Seconds()*float64(l.perSecond)); r.sent++ {
			wg.Go(func() {
				sent := time.Now()
				why := request()
				took := time.Since(sent)
				mu.Lock()
				defer mu.Unlock()
				r.latencies = append(r.latencies, took)
				if why != "" {
					r.failed++
					r.failures[why]++
				}
			})
		}
	}
	wg.Wait()
}

// underLoad sends device requests at a steady rate, whatever becomes of them,
// while something happens, and for the whole time in any case.
func (f *fleet) underLoad(happens func()) *report {
	f.t.Helper()
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 512, MaxConnsPerHost: 512}}
	defer client.CloseIdleConnections()
	url := f.web + "/tv/home?profile=paul"
	for range 50 {
		if why := request(client, url, ""); why != "" {
			f.t.Fatal("before anything has happened: ", why)
		}
	}
	r := &report{failures: map[string]int{}}
	over := make(chan struct{})
	go func() {
		defer close(over)
		r.fill(f.load, func() string { return request(client, url, f.mayDegrade) })
	}()
	time.Sleep(f.load.lasts / 6)
	happens()
	<-over
	f.t.Log(r)
	if r.failed > 0 {
		f.t.Errorf("%d of %d device requests failed: %v", r.failed, r.sent, r.failures)
	}
	return r
}

// request makes one and tells what is wrong with the answer, which may lack one part.
func request(client *http.Client, url, mayDegrade string) string {
	resp, err := client.Get(url)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err.Error()
	case resp.StatusCode != http.StatusOK:
		return fmt.Sprintf("%d %s", resp.StatusCode, body)
	case strings.Contains(string(body), "degraded") && !strings.Contains(string(body), `"degraded":["`+mayDegrade+`"]`):
		return "a page that is not whole: " + string(body[max(0, len(body)-200):])
	}
	return ""
}

func TestAnEdgeIsKilledUnderLoad(t *testing.T) {
	f := startFleet(t)
	f.underLoad(func() { f.edges[0].Signal(syscall.SIGKILL) })
}

func TestAnEdgeIsFrozenAndThawedUnderLoad(t *testing.T) {
	f := startFleet(t)
	f.underLoad(func() {
		f.edges[0].Signal(syscall.SIGSTOP)
		time.Sleep(f.load.lasts / 3)
		f.edges[0].Signal(syscall.SIGCONT)
	})
}

func TestAllEdgesAreReplacedUnderLoad(t *testing.T) {
	f := startFleet(t)
	f.underLoad(func() {
		for i := range f.edges {
			f.edges[i].Signal(syscall.SIGTERM)
			f.edges[i].Exit(0)
			f.edges[i] = f.startEdge(i)
			time.Sleep(2 * time.Second) // the nodes are back by then
		}
	})
}

func TestANodeIsKilledUnderLoad(t *testing.T) {
	f := startFleet(t)
	f.underLoad(func() { f.nodes[0].Signal(syscall.SIGKILL) })
}

// A source of which nothing is kept hangs, and comes back: every page is served, at
// worst without what that source says.
func TestASourceHangsUnderLoad(t *testing.T) {
	f := startFleetWith(t, "--config", withoutCacheOfRatings(t))
	f.mayDegrade = "ratings"
	f.underLoad(func() {
		control(t, f.urls["ratings"], `{"mode":"hang"}`)
		time.Sleep(f.load.lasts / 3)
		control(t, f.urls["ratings"], `{"mode":"ok"}`)
	})
}
