package harness

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"warmline.dev/internal/await"
)

// The test binary is the program that starts itself, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "peer" {
		peer(os.Args[2])
		return
	}
	// Built with the race detector each process would sleep for a second at its end.
	_ = os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0") // fails for bad names only
	goleak.VerifyTestMain(m)
}

func peer(how string) {
	switch how {
	case "echo":
		err := Told(os.Stdin, func(lines <-chan string) error {
			for line := range lines {
				fmt.Println("you said " + line)
			}
			return nil
		})
		if err != nil {
			panic(err)
		}
	case "hang": // even when its input ends
		fmt.Println("hanging")
		select {}
	case "panic":
		panic("on purpose")
	case "long":
		fmt.Fprint(os.Stderr, strings.Repeat("x", 1<<20))
		os.Exit(3)
	}
}

func startPeer(t *testing.T, ctx context.Context, how string) *Process {
	t.Helper()
	p, err := Start(ctx, "the peer", "peer", how)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop() })
	return p
}

func TestProcessAnswersAndEndsWithItsInput(t *testing.T) {
	p := startPeer(t, t.Context(), "echo")
	for _, said := range []string{"one", "two"} {
		if got, err := p.Ask(said); err != nil || got != "you said "+said {
			t.Errorf("%q, %v", got, err)
		}
	}
	for range 2 {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	}
	if !p.cmd.ProcessState.Success() {
		t.Errorf("%v", p.cmd.ProcessState)
	}
}

func TestProcessThatCrashesIsQuoted(t *testing.T) {
	p := startPeer(t, t.Context(), "panic")
	_, err := p.Ask("anything")
	if err == nil || !strings.Contains(err.Error(), "the peer: exit status 2: panic: on purpose") {
		t.Error(err)
	}
}

func TestProcessThatSaysNothingMore(t *testing.T) {
	p := startPeer(t, t.Context(), "nothing")
	if _, err := p.Line(); err == nil || !strings.Contains(err.Error(), "the peer: it ended before") {
		t.Error(err)
	}
}

func TestWhatACrashedProcessWroteIsBounded(t *testing.T) {
	p := startPeer(t, t.Context(), "long")
	_, err := p.Line()
	if err == nil || !strings.Contains(err.Error(), "exit status 3: xxx") || len(err.Error()) > 1100 {
		t.Errorf("%.200v", err)
	}
}

func TestProcessIsKilledWhenTheContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := startPeer(t, ctx, "hang")
	if line, err := p.Line(); err != nil || line != "hanging" {
		t.Fatalf("%q, %v", line, err)
	}
	cancel()
	if _, err := p.Line(); err == nil || p.cmd.ProcessState == nil {
		t.Errorf("%v, %v", err, p.cmd.ProcessState)
	}
}

func TestUsageOfAProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc tells what a process uses")
	}
	p := startPeer(t, t.Context(), "echo")
	await.Until(t, "it has taken time", func() bool {
		if _, err := p.Ask("go on"); err != nil {
			t.Fatal(err)
		}
		return p.Usage().CPU > 0
	})
	if memory := p.Usage().Memory; memory < 1<<20 || memory > 1<<30 {
		t.Errorf("it runs in %d bytes", memory)
	}
	const steps = 20 * time.Millisecond // two times that are rounded down
	before := ThisUsage().CPU
	told := UsageOf(os.Getpid()).CPU
	if after := ThisUsage().CPU; told < before-steps || told > after {
		t.Errorf("this process has taken %v, by /proc; %v to %v by getrusage", told, before, after)
	}
	_ = p.Stop() // it is gone, or else the next says so
	if u := p.Usage(); u != (Usage{}) {
		t.Errorf("what is gone uses %+v", u)
	}
}

func TestToldReturnsWhenItsInputEnds(t *testing.T) {
	in, out := io.Pipe()
	release, ended := make(chan struct{}), make(chan error, 1)
	worked := make(chan struct{})
	go func() {
		ended <- Told(in, func(lines <-chan string) error {
			defer close(worked)
			if got := <-lines; got != "hello" {
				t.Errorf("told %q", got)
			}
			<-release // work that can't be stopped
			return errors.New("too late to be told")
		})
	}()
	fmt.Fprintln(out, "hello")
	out.Close()
	if err := await.Value(t, "Told returns", ended); err != nil {
		t.Error(err)
	}
	close(release)
	await.Value(t, "the work ends", worked)
}

func TestToldReturnsWhatWorkReturns(t *testing.T) {
	in, out := io.Pipe()
	defer out.Close()
	want := errors.New("done")
	if err := Told(in, func(<-chan string) error { return want }); !errors.Is(err, want) {
		t.Error(err)
	}
}

func TestProgressElsewhereThanOnATerminalIsALinePerRound(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&b, 2, 2)
	for i := range 4 {
		p.Begin("a step")
		if i == 2 {
			p.Say("step %d failed", i)
		}
		p.Step()
	}
	p.Pause()
	var lines []string
	for s := bufio.NewScanner(&b); s.Scan(); {
		lines = append(lines, s.Text())
	}
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "round 1 of 2 done, ") || lines[1] != "step 2 failed" || !strings.HasPrefix(lines[2], "round 2 of 2 done, after ") {
		t.Errorf("%q", lines)
	}
}

func TestMachineAndVersion(t *testing.T) {
	m := ThisMachine()
	if m.Cores < 1 || !strings.HasPrefix(m.Go, "go") || m.System == "" || !strings.Contains(m.String(), m.Go) {
		t.Errorf("%+v: %s", m, m)
	}
	if v := Version("no.such/module"); v != "" {
		t.Errorf("version of what is not there: %s", v)
	}
}
