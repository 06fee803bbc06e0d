package sample

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestControl(t *testing.T) {
	s, err := Start(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer end(t, s)
	url := s.URL("ratings")
	call(t, "GET", url+"/ratings/paul", "")
	call(t, "GET", url+"/nowhere", "")
	want(t, "GET", url+"/_sample", "", 200, `{"name":"ratings","requests":2,"given_up":0,"open":0,"most_open":1,"mode":"ok","latency":"4ms"}`)
	want(t, "PUT", url+"/_sample", `{"mode":"hang","latency":"20ms"}`, 200, `{"name":"ratings","requests":2,"given_up":0,"open":0,"most_open":1,"mode":"hang","latency":"20ms"}`)
	want(t, "PUT", url+"/_sample", `{"latency":"0s"}`, 200, `{"name":"ratings","requests":2,"given_up":0,"open":0,"most_open":1,"mode":"hang","latency":"0s"}`)
	want(t, "PUT", url+"/_sample", `{"latency":"1ms"}`, 200, `{"name":"ratings","requests":2,"given_up":0,"open":0,"most_open":1,"mode":"hang","latency":"1ms"}`)
	want(t, "PUT", url+"/_sample", `{"latency":"-1s"}`, 200, `{"name":"ratings","requests":2,"given_up":0,"open":0,"most_open":1,"mode":"hang","latency":"0s"}`)
	want(t, "PUT", url+"/_sample", `{"mode":"fail"}`, 200, `{"name":"ratings","requests":2,"given_up":0,"open":0,"most_open":1,"mode":"fail","latency":"0s"}`)
	want(t, "PUT", url+"/_sample", `{}`, 200, `{"name":"ratings","requests":2,"given_up":0,"open":0,"most_open":1,"mode":"fail","latency":"0s"}`)
	call(t, "GET", url+"/ratings/paul", "")
	if n := s.Requests("ratings"); n != 3 {
		t.Errorf("%d requests, want 3: control requests are not counted", n)
	}
	for _, name := range []string{"profiles", "nobody"} {
		if n := s.Requests(name); n != 0 {
			t.Errorf("%s has %d requests", name, n)
		}
	}
}

func TestSet(t *testing.T) {
	s := begin(t)
	state := func() string { return call(t, "GET", s.URL("members")+"/_sample", "").body }
	steps := []struct {
		set  Behaviour
		then string
	}{
		{Behaviour{Mode: ModeFail, Latency: 2 * time.Millisecond}, `"mode":"fail","latency":"2ms"}`},
		{Behaviour{}, `"mode":"ok","latency":"2ms"}`},
		{Behaviour{Mode: ModeHang}, `"mode":"hang","latency":"2ms"}`},
		{Behaviour{Mode: ModeOK, Latency: -1}, `"mode":"ok","latency":"0s"}`},
	}
	for _, step := range steps {
		if err := s.Set("members", step.set); err != nil {
			t.Errorf("Set(%+v): %v", step.set, err)
		}
		if got := state(); !strings.HasSuffix(got, step.then) {
			t.Errorf("after Set(%+v): %s, want %s", step.set, got, step.then)
		}
	}
	before := state()
	for _, test := range []struct {
		name    string
		set     Behaviour
		message string
	}{
		{"movies", Behaviour{}, `no service "movies": expected one of profiles, members, recommendations, catalogue, ratings, accounts`},
		{"members", Behaviour{Mode: "slow", Latency: 1}, `members: mode "slow": expected ok, fail, hang, half, garbage or huge`},
		{"members", Behaviour{Mode: ModeFail, Latency: time.Hour}, `members: latency 1h0m0s: expected at most 1m0s`},
	} {
		if err := s.Set(test.name, test.set); err == nil || !strings.Contains(err.Error(), test.message) {
			t.Errorf("Set(%s, %+v): %v", test.name, test.set, err)
		}
	}
	if after := state(); after != before {
		t.Errorf("a refused Set changed %s into %s", before, after)
	}
}

func TestFail(t *testing.T) {
	s := begin(t)
	if err := s.Set("profiles", Behaviour{Mode: ModeFail}); err != nil {
		t.Fatal(err)
	}
	want(t, "GET", s.URL("profiles")+"/profiles/paul", "", 503, `{"error":{"code":"unavailable","message":"profiles is failing"}}`)
	want(t, "GET", s.URL("members")+"/members/c-1001", "", 200, `{"customer":"c-1001","plan":"four-stream","streams":4,"since":"2019-04-02"}`)
	if err := s.Set("profiles", Behaviour{}); err != nil {
		t.Fatal(err)
	}
	if r := call(t, "GET", s.URL("profiles")+"/profiles/paul", ""); r.status != 200 {
		t.Errorf("after ModeOK: %d %s", r.status, r.body)
	}
	if n := s.Requests("profiles"); n != 2 {
		t.Errorf("%d requests, want 2: those that fail count", n)
	}
}

// hang makes a service hang and sends it a request, which hangs when hang
// returns.
func hang(t *testing.T, s *Services, ctx context.Context, name, method, path, body string) <-chan reply {
	t.Helper()
	if err := s.Set(name, Behaviour{Mode: ModeHang}); err != nil {
		t.Fatal(err)
	}
	replies := make(chan reply, 1)
	go func() { replies <- send(ctx, method, s.URL(name)+path, body) }()
	waitRunning(t, "sample.(*service).behave", 1)
	return replies
}

func take(t *testing.T, replies <-chan reply) reply {
	t.Helper()
	select {
	case r := <-replies:
		return r
	case <-time.After(patience):
		t.Fatalf("no reply\n%s", stacks())
		return reply{}
	}
}

func TestHangEndsWithTheClient(t *testing.T) {
	tests := map[string]struct{ method, path, body string }{
		"without a body": {"GET", "/ratings/paul", ""},
		// The server sees the client leave only once the body was read.
		"with a body": {"PUT", "/ratings/paul/17", `{"rating":"THUMBS_DOWN"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := begin(t)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			replies := hang(t, s, ctx, "ratings", test.method, test.path, test.body)
			if n := s.Requests("ratings"); n != 1 {
				t.Errorf("%d requests, want 1: those that hang count", n)
			}
			cancel()
			if r := take(t, replies); !errors.Is(r.err, context.Canceled) {
				t.Errorf("reply: %+v", r)
			}
			waitRunning(t, "sample.(*service).behave", 0)
			if err := s.Set("ratings", Behaviour{}); err != nil {
				t.Fatal(err)
			}
			want(t, "GET", s.URL("ratings")+"/ratings/paul?ids=17", "", 200, `{"profile":"paul","ratings":[{"video":17,"rating":"THUMBS_UP"}]}`)
		})
	}
}

func TestHangEndsWithTheMode(t *testing.T) {
	for mode, status := range map[Mode]int{ModeOK: 200, ModeFail: 503} {
		s := begin(t)
		replies := hang(t, s, context.Background(), "ratings", "GET", "/ratings/paul", "")
		// A change that leaves the mode leaves the request.
		want(t, "PUT", s.URL("ratings")+"/_sample", `{"latency":"1ms"}`, 200, `{"name":"ratings","requests":1,"given_up":0,"open":1,"most_open":1,"mode":"hang","latency":"1ms"}`)
		if err := s.Set("ratings", Behaviour{Mode: mode}); err != nil {
			t.Fatal(err)
		}
		if r := take(t, replies); r.err != nil || r.status != status {
			t.Errorf("to %s: %+v", mode, r)
		}
	}
}

func TestHangEndsWithShutdown(t *testing.T) {
	s := begin(t)
	replies := hang(t, s, context.Background(), "members", "PUT", "/members/c-1001", `{"plan":"one-stream"}`)
	end(t, s)
	if r := take(t, replies); r.err != nil || r.status != 503 || !strings.Contains(r.body, "members is closing") {
		t.Errorf("reply: %+v", r)
	}
}

func TestHangEndsWithStop(t *testing.T) {
	s := begin(t)
	replies := hang(t, s, context.Background(), "members", "PUT", "/members/c-1001", `{"plan":"one-stream"}`)
	if err := s.Stop("members"); err != nil {
		t.Errorf("Stop: %v", err)
	}
	if r := take(t, replies); r.err == nil {
		t.Errorf("a killed service answered %d %s", r.status, r.body)
	}
}

// A client that closes only its sending half still listens, and must not be told
// that all is well.
func TestHalfClosedClient(t *testing.T) {
	s := begin(t)
	if err := s.Set("profiles", Behaviour{Mode: ModeHang}); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL("profiles"), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /profiles/paul HTTP/1.1\r\nHost: x\r\n\r\n")
	waitRunning(t, "sample.(*service).behave", 1)
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64)
	n, err := conn.Read(buf)
	if got := string(buf[:n]); err == nil && !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("answered %q", got)
	}
}

// For the race detector: everything at once.
func TestConcurrentUse(t *testing.T) {
	s := begin(t)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 10 {
				profile := fmt.Sprintf("/ratings/p-%d", i)
				call(t, "PUT", s.URL("ratings")+profile+"/1", `{"rating":"THUMBS_UP"}`)
				call(t, "GET", s.URL("ratings")+"/ratings/p-0", "")
				call(t, "PUT", s.URL("members")+"/members/c-1002", `{"plan":"one-stream"}`)
				call(t, "GET", s.URL("members")+"/_sample", "")
				if err := s.Set("members", Behaviour{Latency: time.Duration(i)}); err != nil {
					t.Error(err)
				}
				s.Requests("members")
			}
		})
	}
	wg.Wait()
	if n := s.Requests("ratings"); n != 80 {
		t.Errorf("%d requests, want 80", n)
	}
}
