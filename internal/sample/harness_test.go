package sample

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience bounds waits for what must happen; no test asserts how long it took.
const patience = 30 * time.Second

// begin starts services without latency and shuts them down after the test.
func begin(t *testing.T) *Services {
	t.Helper()
	s, err := Start(Config{Latency: -1})
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() { end(t, s) })
	return s
}

func end(t *testing.T, s *Services) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
}

// reply is what a request came to.
type reply struct {
	status int
	header http.Header
	body   string
	err    error
}

func send(ctx context.Context, method, url, body string) reply {
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		return reply{err: err}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return reply{err: err}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, strings.TrimSpace(string(text)), err}
}

// call sends a request that must be answered, with JSON.
func call(t *testing.T, method, url, body string) reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r := send(ctx, method, url, body)
	if r.err != nil {
		t.Fatalf("%s %s: %v", method, url, r.err)
	}
	if got := r.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("%s %s: Content-Type is %q", method, url, got)
	}
	if !json.Valid([]byte(r.body)) {
		t.Errorf("%s %s: no JSON: %q", method, url, r.body)
	}
	return r
}

// want calls and compares status and body.
func want(t *testing.T, method, url, body string, status int, expected string) {
	t.Helper()
	r := call(t, method, url, body)
	if r.status != status || r.body != expected {
		t.Errorf("%s %s %s:\n got %d %s\nwant %d %s", method, url, body, r.status, r.body, status, expected)
	}
}

// failed returns the code and the message of a reply that is an error.
func failed(t *testing.T, r reply) (code, message string) {
	t.Helper()
	var f failureBody
	if err := json.Unmarshal([]byte(r.body), &f); err != nil {
		t.Fatalf("%q: %v", r.body, err)
	}
	return f.Error.Code, f.Error.Message
}

// waitFor polls until done holds.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s\n%s", what, stacks())
		}
	}
}

func stacks() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}

// running counts the goroutines that are inside the function.
func running(function string) int {
	count := 0
	for stack := range strings.SplitSeq(stacks(), "\n\n") {
		if strings.Contains(stack, function+"(") {
			count++
		}
	}
	return count
}

// waitRunning waits until so many goroutines are inside the function.
func waitRunning(t *testing.T, function string, count int) {
	t.Helper()
	waitFor(t, strconv.Itoa(count)+" goroutines in "+function, func() bool { return running(function) == count })
}

// portsInARow returns the first of free ports for all services, below those that
// systems hand out by themselves.
func portsInARow(t *testing.T) int {
	t.Helper()
	for base := 21000; base < 31000; base += 10 {
		var taken []net.Listener
		for i := range len(Names()) {
			if l, err := net.Listen("tcp", hostPort(base+i)); err == nil {
				taken = append(taken, l)
			}
		}
		for _, l := range taken {
			l.Close()
		}
		if len(taken) == len(Names()) {
			return base
		}
	}
	t.Fatal("not enough free ports in a row")
	return 0
}

func hostPort(port int) string { return net.JoinHostPort(defaultHost, strconv.Itoa(port)) }
