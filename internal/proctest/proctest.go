// Package proctest is how tests run a real command: build it once, start it,
// wait for what it says, signal it, and see how it ends.
package proctest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"warmline.dev/internal/await"
)

// Build builds the command of the current folder, for TestMain, and returns where
// it is and what removes it. It ends the process if there is none to test.
func Build(name string) (binary string, remove func()) {
	dir, err := os.MkdirTemp("", name)
	if err == nil {
		binary = filepath.Join(dir, name)
		build := exec.Command("go", "build", "-o", binary, ".")
		build.Stderr = os.Stderr
		err = build.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "go build:", err)
		os.Exit(1)
	}
	return binary, func() { _ = os.RemoveAll(dir) }
}

// Run runs a command to its end.
func Run(t testing.TB, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// Process is a command that was started.
type Process struct {
	*exec.Cmd
	Out, Errors Output        // what it has written so far
	Ended       chan struct{} // closed when it has ended

	t    testing.TB
	seen int // of Out, by Expect
}

// Start starts a command, which is killed at the end of the test.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Cmd: cmd, Ended: make(chan struct{}), t: t}
	cmd.Stdout, cmd.Stderr = &p.Out, &p.Errors
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // ProcessState tells
		close(p.Ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-p.Ended
		if t.Failed() {
			t.Logf("%v wrote:\n%s", cmd.Args, p.Errors.String())
		}
	})
	return p
}

// Expect waits for a line of standard output, behind the one expected before,
// and returns what the groups of the pattern matched.
func (p *Process) Expect(pattern string) []string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	var groups []string
	await.Until(p.t, fmt.Sprintf("%v prints %s", p.Args, pattern), func() bool {
		for line := range strings.Lines(p.Out.String()[p.seen:]) {
			line, whole := strings.CutSuffix(line, "\n")
			if !whole {
				break
			}
			p.seen += len(line) + 1
			if m := re.FindStringSubmatch(line); m != nil {
				groups = m[1:]
				return true
			}
		}
		return false
	})
	return groups
}

// Interrupt is Ctrl-C.
func (p *Process) Interrupt() {
	p.t.Helper()
	p.Signal(syscall.SIGINT)
}

// Signal sends a signal.
func (p *Process) Signal(s os.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// Exit waits for the end and checks its code.
func (p *Process) Exit(want int) {
	p.t.Helper()
	await.Value(p.t, fmt.Sprintf("%v ends", p.Args), p.Ended)
	if got := p.ProcessState.ExitCode(); got != want {
		p.t.Errorf("%v exited with %d, want %d", p.Args, got, want)
	}
}

// Output is what a process has written. It may be read meanwhile.
type Output struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
