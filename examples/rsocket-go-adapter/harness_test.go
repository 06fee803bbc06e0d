package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rsocket/rsocket-go/logger"
	"go.uber.org/goleak"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/sample"
	"warmline.dev/internal/sample/declared"
	"warmline.dev/internal/serving"
	"warmline.dev/nodelayer/gateway"
	"warmline.dev/passport"
)

// The pool that ants, which rsocket-go uses, starts when it is imported never
// ends. Everything else has to, rsocket-go's goroutines too.
func TestMain(m *testing.M) {
	logger.SetLogger(nil)
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/panjf2000/ants/v2.(*Pool).purgePeriodically"))
}

const waitAtMost = 20 * time.Second

// world is what the example is run against: Warmline itself.
type world struct {
	t               *testing.T
	samples         *sample.Services
	edge            string // addresses
	line            string
	gateway         *gateway.Server
	closeEdge       func()
	mu              sync.Mutex
	passportChanges []passport.Passport // guarded by mu: what OnPassport was told
}

func newWorld(t *testing.T, cfg gateway.Config) *world {
	t.Helper()
	w := &world{t: t}
	keys, err := passport.NewKeyring(passport.NewKey("test"))
	check1(t, err)

	w.samples, err = sample.Start(sample.Config{Latency: -1})
	check1(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), waitAtMost)
		defer cancel()
		check1(t, w.samples.Shutdown(ctx))
	})
	tier, err := declared.New(w.samples, waitAtMost.String())
	check1(t, err)
	t.Cleanup(tier.Close)

	edge, err := edgelayer.New(edgelayer.Config{Keys: keys, Services: tier.Services()})
	check1(t, err)
	w.closeEdge = func() { _ = edge.Close() }
	w.edge = serving.Start(t, edge.Serve, edge.Close)

	cfg.Keys = keys
	cfg.Mint = func(_ http.ResponseWriter, r *http.Request) (passport.Passport, error) {
		if profile := r.URL.Query().Get("profile"); profile != "" {
			return passport.Passport{Profile: profile, Level: passport.Recognised}, nil
		}
		return passport.Passport{}, nil
	}
	cfg.OnPassport = func(_ http.ResponseWriter, _ *http.Request, h passport.History) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.passportChanges = append(w.passportChanges, h.Now)
	}
	w.gateway, err = gateway.New(cfg)
	check1(t, err)
	w.line = serving.Start(t, w.gateway.ServeLines, w.gateway.Close)
	return w
}

func check1(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// program is the example while it runs.
type program struct {
	t              *testing.T
	stdout, stderr buffer
	interrupt      context.CancelFunc
	ended          chan int
}

// start runs the example's own run function.
func (w *world) start(args ...string) *program {
	ctx, cancel := context.WithCancel(context.Background())
	p := &program{t: w.t, interrupt: cancel, ended: make(chan int, 1)}
	args = append([]string{"-edge", w.edge, "-gateway", w.line}, args...)
	go func() { p.ended <- run(ctx, args, &p.stdout, &p.stderr) }()
	w.t.Cleanup(cancel)
	return p
}

// running starts it and waits until the gateway has its adapter.
func (w *world) running(args ...string) *program {
	w.t.Helper()
	p := w.start(args...)
	eventually(w.t, "the adapter is offered", func() bool { return strings.Contains(p.stdout.String(), "GET /lite/home") })
	return p
}

// code waits for the end.
func (p *program) code() int {
	p.t.Helper()
	select {
	case code := <-p.ended:
		return code
	case <-time.After(waitAtMost):
		p.t.Fatal("the program does not end")
		return 0
	}
}

// end interrupts it, which must end it cleanly.
func (p *program) end() {
	p.t.Helper()
	p.interrupt()
	if code := p.code(); code != 0 || p.stderr.String() != "" {
		p.t.Errorf("ended with %d, %q", code, p.stderr.String())
	}
}

// get asks the gateway as a device does.
func (w *world) get(target string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.gateway.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, target, nil))
	return rec
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(waitAtMost); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain: ", what)
		}
	}
}

// buffer is a bytes.Buffer for two goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
