package sample

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestNames(t *testing.T) {
	expected := []string{"profiles", "members", "recommendations", "catalogue", "ratings", "accounts"}
	names := Names()
	if !slices.Equal(names, expected) {
		t.Errorf("Names() = %v", names)
	}
	names[0] = "x"
	if !slices.Equal(Names(), expected) {
		t.Errorf("a caller changed Names() to %v", Names())
	}
}

func TestConfig(t *testing.T) {
	cfg, err := Config{}.withDefaults()
	if err != nil || cfg.Host != "127.0.0.1" || cfg.BasePort != 0 || cfg.Latency != 4*time.Millisecond || cfg.OnAccount == nil {
		t.Errorf("defaults: %+v, %v", cfg, err)
	}
	if cfg, err := (Config{Latency: -1}).withDefaults(); err != nil || cfg.Latency != 0 {
		t.Errorf("negative latency: %+v, %v", cfg, err)
	}
	for _, test := range []struct {
		cfg     Config
		message string
	}{
		{Config{BasePort: -1}, "BasePort is -1, expected 0 (free ports) to 65530"},
		{Config{BasePort: 65531}, "BasePort is 65531"},
		{Config{Latency: time.Hour}, "latency 1h0m0s: expected at most 1m0s"},
		{Config{Host: "256.0.0.1"}, "profiles: cannot listen on 256.0.0.1:0"},
	} {
		s, err := Start(test.cfg)
		if err == nil {
			end(t, s)
		}
		if err == nil || !strings.Contains(err.Error(), test.message) {
			t.Errorf("Start(%+v): %v", test.cfg, err)
		}
	}
}

func TestPorts(t *testing.T) {
	base := portsInARow(t)
	s, err := Start(Config{BasePort: base})
	if err != nil {
		t.Fatal(err)
	}
	defer end(t, s)
	for i, name := range Names() {
		if got, expected := s.URL(name), "http://"+hostPort(base+i); got != expected {
			t.Errorf("URL(%s) = %q, want %q", name, got, expected)
		}
		r := call(t, "GET", s.URL(name)+"/_sample", "")
		if !strings.HasPrefix(r.body, fmt.Sprintf(`{"name":%q`, name)) {
			t.Errorf("%s says %s", name, r.body)
		}
	}
	if got := s.URL("movies"); got != "" {
		t.Errorf("URL(movies) = %q", got)
	}
}

func TestTakenPort(t *testing.T) {
	base := portsInARow(t)
	taken, err := net.Listen("tcp", hostPort(base+4))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s, err := Start(Config{BasePort: base})
	if err == nil {
		end(t, s)
		t.Fatal("Start took a port that is taken")
	}
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "ratings: cannot listen on "+hostPort(base+4)) {
		t.Errorf("Start: %v", err)
	}
	for i := range 4 {
		l, err := net.Listen("tcp", hostPort(base+i))
		if err != nil {
			t.Errorf("Start left a port open: %v", err)
			continue
		}
		l.Close()
	}
}

func TestStopAndRestart(t *testing.T) {
	s := begin(t)
	url := s.URL("ratings")
	want(t, "PUT", url+"/ratings/paul/3", `{"rating":"THUMBS_UP"}`, 200, `{"video":3,"rating":"THUMBS_UP"}`)
	if err := s.Set("ratings", Behaviour{Latency: time.Microsecond}); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart("ratings"); err == nil || !strings.Contains(err.Error(), "ratings: it is running already") {
		t.Errorf("Restart while it runs: %v", err)
	}
	for range 3 {
		for range 2 { // the second time it is stopped already
			if err := s.Stop("ratings"); err != nil {
				t.Fatalf("Stop: %v", err)
			}
		}
		if r := send(context.Background(), "GET", url+"/ratings/paul", ""); !errors.Is(r.err, syscall.ECONNREFUSED) {
			t.Errorf("stopped: %+v", r)
		}
		if r := call(t, "GET", s.URL("profiles")+"/profiles/paul", ""); r.status != 200 {
			t.Errorf("another service: %d %s", r.status, r.body)
		}
		if err := s.Restart("ratings"); err != nil {
			t.Fatalf("Restart: %v", err)
		}
		if got := s.URL("ratings"); got != url {
			t.Errorf("the URL was %s and is %s", url, got)
		}
		want(t, "GET", url+"/ratings/paul?ids=3", "", 200, `{"profile":"paul","ratings":[{"video":3,"rating":"THUMBS_UP"}]}`)
	}
	want(t, "GET", url+"/_sample", "", 200, `{"name":"ratings","requests":4,"given_up":0,"open":0,"most_open":1,"mode":"ok","latency":"1µs"}`)
	for name, do := range map[string]func(string) error{"Stop": s.Stop, "Restart": s.Restart} {
		if err := do("movies"); err == nil || !strings.Contains(err.Error(), `no service "movies"`) {
			t.Errorf("%s of no service: %v", name, err)
		}
	}
}

func TestRestartWhenThePortIsTaken(t *testing.T) {
	s := begin(t)
	addr := strings.TrimPrefix(s.URL("members"), "http://")
	if err := s.Stop("members"); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Restart("members")
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "members: cannot listen on "+addr) {
		t.Errorf("Restart: %v", err)
	}
	taken.Close()
	if err := s.Restart("members"); err != nil {
		t.Errorf("Restart on the port that is free again: %v", err)
	}
}

func TestStopEndsWhatIsUnderWay(t *testing.T) {
	s := begin(t)
	if err := s.Set("profiles", Behaviour{Latency: maxLatency}); err != nil {
		t.Fatal(err)
	}
	replies := make(chan reply, 1)
	go func() { replies <- send(context.Background(), "GET", s.URL("profiles")+"/profiles/paul", "") }()
	waitRunning(t, "sample.delay", 1)
	if err := s.Stop("profiles"); err != nil {
		t.Errorf("Stop: %v", err)
	}
	if r := take(t, replies); r.err == nil {
		t.Errorf("a killed service answered %d %s", r.status, r.body)
	}
}

func TestShutdownFinishesRequests(t *testing.T) {
	s := begin(t)
	if err := s.Set("profiles", Behaviour{Latency: 300 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	replies := make(chan reply, 1)
	go func() { replies <- send(context.Background(), "GET", s.URL("profiles")+"/profiles/paul", "") }()
	waitRunning(t, "sample.delay", 1)
	end(t, s)
	if r := take(t, replies); r.err != nil || r.status != 200 {
		t.Errorf("reply: %+v", r)
	}
	for _, name := range Names() {
		if r := send(context.Background(), "GET", s.URL(name)+"/_sample", ""); !errors.Is(r.err, syscall.ECONNREFUSED) {
			t.Errorf("%s after Shutdown: %+v", name, r)
		}
		if err := s.Restart(name); err == nil || !strings.Contains(err.Error(), name+": it was shut down") {
			t.Errorf("Restart after Shutdown: %v", err)
		}
		if err := s.Stop(name); err != nil {
			t.Errorf("Stop after Shutdown: %v", err)
		}
	}
	if err := s.Shutdown(context.Background()); err != nil {
		t.Errorf("a second Shutdown: %v", err)
	}
}

func TestShutdownEndsWithItsContext(t *testing.T) {
	s := begin(t)
	if err := s.Set("profiles", Behaviour{Latency: maxLatency}); err != nil {
		t.Fatal(err)
	}
	replies := make(chan reply, 1)
	go func() { replies <- send(context.Background(), "GET", s.URL("profiles")+"/profiles/paul", "") }()
	waitRunning(t, "sample.delay", 1)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "profiles: shutdown") {
		t.Errorf("Shutdown: %v", err)
	}
	if r := take(t, replies); r.err == nil {
		t.Errorf("a request that was cut off was answered %d %s", r.status, r.body)
	}
	for _, name := range Names() {
		if r := send(context.Background(), "GET", s.URL(name)+"/_sample", ""); !errors.Is(r.err, syscall.ECONNREFUSED) {
			t.Errorf("%s after Shutdown: %+v", name, r)
		}
	}
	if err := s.Shutdown(context.Background()); err != nil {
		t.Errorf("a second Shutdown: %v", err)
	}
}

// Clients keep connections in reserve that they have sent nothing on; the
// standard library's shutdown alone waits 5 seconds for each to speak.
func TestShutdownDoesNotWaitForSpares(t *testing.T) {
	s := begin(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL("profiles"), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	run := s.byName["profiles"].run
	waitFor(t, "the connection arrives", func() bool {
		run.mu.Lock()
		defer run.mu.Unlock()
		return len(run.fresh) == 1
	})
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// acceptLoop is the goroutine of a run as stacks name it.
const acceptLoop = "sample.startRun.func2"

func TestNoGoroutineIsLeft(t *testing.T) {
	s := begin(t)
	for _, name := range Names() {
		call(t, "GET", s.URL(name)+"/_sample", "")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	replies := hang(t, s, ctx, "catalogue", "GET", "/films/17", "")
	if err := s.Stop("members"); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart("members"); err != nil {
		t.Fatal(err)
	}
	waitRunning(t, "net/http.(*Server).Serve", len(Names()))
	waitRunning(t, acceptLoop, len(Names()))
	end(t, s)
	take(t, replies)
	// A goroutine reports that it is done a moment before it is.
	for _, function := range []string{
		"net/http.(*Server).Serve", "net/http.(*conn).serve", "net/http.(*connReader).backgroundRead",
		acceptLoop, "sample.(*run).drain.func1",
	} {
		waitRunning(t, function, 0)
	}
}
