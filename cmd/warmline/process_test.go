package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the real command, built once.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "warmline")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "warmline")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "go build:", err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// process is one running command.
type process struct {
	t     *testing.T
	name  string
	cmd   *exec.Cmd
	lines chan string // standard output

	mu     sync.Mutex
	stderr bytes.Buffer // guarded by mu
	ended  chan struct{}
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startBinary(t, binary, args...)
}

func startBinary(t *testing.T, file string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: args[0], cmd: exec.Command(file, args...), lines: make(chan string, 100), ended: make(chan struct{})}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = writer(func(b []byte) (int, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.stderr.Write(b)
	})
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
		_ = p.cmd.Wait()
		close(p.lines)
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("%s wrote:\n%s", p.name, p.errors())
		}
	})
	return p
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

func (p *process) errors() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

// expect waits for a line of standard output and returns what the groups matched.
func (p *process) expect(pattern string) []string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	timeout := time.After(30 * time.Second)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("%s ended without printing %s; it wrote:\n%s", p.name, pattern, p.errors())
			}
			if m := re.FindStringSubmatch(line); m != nil {
				return m[1:]
			}
		case <-timeout:
			p.t.Fatalf("%s never printed %s", p.name, pattern)
		}
	}
}

// interrupt is Ctrl-C.
func (p *process) interrupt() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		p.t.Fatal(err)
	}
}

// exit waits for the end and checks its code.
func (p *process) exit(want int) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		p.t.Fatalf("%s did not end", p.name)
	}
	if got := p.cmd.ProcessState.ExitCode(); got != want {
		p.t.Errorf("%s exited with %d, want %d; it wrote:\n%s", p.name, got, want, p.errors())
	}
}

// run runs a command to its end.
func run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.Command(binary, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// get returns status and body of a page.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// page is what the tests look at in the page of tv 1.
type page struct {
	UserProfile string
	Plan        string
	Rows        []struct {
		Name   string
		Videos []struct {
			ID     int
			Title  string
			Year   int
			Rating string
		}
	}
	Degraded []string
}

func getPage(t *testing.T, url string) page {
	t.Helper()
	status, body := get(t, url)
	var p page
	if err := json.Unmarshal([]byte(body), &p); err != nil || status != http.StatusOK {
		t.Fatalf("%s: %d %s (%v)", url, status, body, err)
	}
	return p
}

// control tells a sample service how to behave.
func control(t *testing.T, url, behaviour string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPut, url+"/_sample", strings.NewReader(behaviour))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", url, resp.Status)
	}
}

func requests(t *testing.T, url string) int {
	t.Helper()
	_, body := get(t, url+"/_sample")
	var state struct{ Requests int }
	if err := json.Unmarshal([]byte(body), &state); err != nil {
		t.Fatal(err)
	}
	return state.Requests
}

// freePorts finds a first port with n free ones from it on, so that a service
// can be brought back where it was. They lie below those that systems hand out
// for port 0, which other tests take meanwhile.
func freePorts(t *testing.T, n int) int {
	t.Helper()
	for range 100 {
		first := 12_000 + rand.N(18_000)
		var held []net.Listener
		for i := range n {
			if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+i)); err == nil {
				held = append(held, l)
			}
		}
		for _, l := range held {
			l.Close()
		}
		if len(held) == n {
			return first
		}
	}
	t.Fatal("no consecutive free ports")
	return 0
}
