package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"warmline.dev/internal/proctest"
)

// binary is the real command, built once.
var binary string

func TestMain(m *testing.M) {
	var remove func()
	// Edges and gateways of tests that run at once each have a port of their own for
	// operators.
	for _, name := range []string{"EDGE_ADMIN", "GATEWAY_ADMIN", "DEV_ADMIN", "DEV_GATEWAY_ADMIN"} {
		_ = os.Setenv("WARMLINE_"+name, "127.0.0.1:0")
	}
	runtime, err := os.MkdirTemp("", "warmline")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = os.Setenv("XDG_RUNTIME_DIR", runtime) // where dev leaves what tools need
	binary, remove = proctest.Build("warmline")
	code := m.Run()
	remove()
	_ = os.RemoveAll(runtime)
	os.Exit(code)
}

func start(t *testing.T, args ...string) *proctest.Process {
	t.Helper()
	return proctest.Start(t, exec.Command(binary, args...))
}

func run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return proctest.Run(t, exec.Command(binary, args...))
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
