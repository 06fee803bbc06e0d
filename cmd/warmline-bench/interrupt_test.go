//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"warmline.dev/bench/pieces"
	"warmline.dev/internal/await"
	"warmline.dev/internal/proctest"
)

// group is a command that leads a process group of its own, as one that a shell
// starts does: what it starts is in it.
type group struct {
	*proctest.Process
	t *testing.T
}

func startGroup(t *testing.T, args ...string) *group {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	g := &group{proctest.Start(t, cmd), t}
	t.Cleanup(func() { _ = syscall.Kill(-g.Cmd.Process.Pid, syscall.SIGKILL) }) // usually nobody is left
	return g
}

// members returns the command lines of the group's processes, by their ids.
func (g *group) members() map[int]string {
	g.t.Helper()
	members := map[int]string{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		g.t.Fatal(err)
	}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state ppid pgrp …; a name may contain anything, so what is behind the last parenthesis.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if fields[2] != strconv.Itoa(g.Cmd.Process.Pid) || fields[0] == "Z" {
			continue
		}
		dir := filepath.Dir(path)
		line, _ := os.ReadFile(filepath.Join(dir, "cmdline")) // empty if it has ended
		pid, _ := strconv.Atoi(filepath.Base(dir))            // the pattern has digits only
		members[pid] = string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
	}
	return members
}

// member waits until the group has a process whose command line contains words.
func (g *group) member(words string) (pid int) {
	g.t.Helper()
	await.Until(g.t, "a process with "+words, func() bool {
		for id, line := range g.members() {
			if strings.Contains(line, words) {
				pid = id
			}
		}
		return pid != 0
	})
	return pid
}

func (g *group) signal(pid int, s syscall.Signal) {
	g.t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		g.t.Fatal(err)
	}
}

func TestCtrlCStopsAtOnceAndLeavesNoProcess(t *testing.T) {
	for name, whom := range map[string]int{"told alone": 1, "told with all it started, as by a terminal": -1} {
		t.Run(name, func(t *testing.T) {
			g := startGroup(t, "wire", "--duration", "1h", "--contenders", "warmline,tcp", "--in-flight", "4")
			g.member("wire-server tcp")
			g.member("wire-client tcp")
			g.signal(whom*g.Cmd.Process.Pid, syscall.SIGINT)
			await.Value(t, "the command ends", g.Ended)
			if left := g.members(); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if code := g.ProcessState.ExitCode(); code != 130 || g.Out.String() != "" || g.Errors.String() != "warmline-bench: interrupted\n" {
				t.Errorf("exit %d, %q, %q", code, g.Out.String(), g.Errors.String())
			}
		})
	}
}

// While it does things to the edges by itself, too.
func TestCtrlCDuringAFaultLeavesNoProcess(t *testing.T) {
	g := startGroup(t, "faults", "--duration", "1h", "--contenders", "warmline", "--faults", "replace", "--warm-up", "0")
	g.member("tier-client warmline")
	g.signal(-g.Cmd.Process.Pid, syscall.SIGINT)
	await.Value(t, "the command ends", g.Ended)
	if left := g.members(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if code := g.ProcessState.ExitCode(); code != 130 || g.Out.String() != "" || g.Errors.String() != "warmline-bench: interrupted\n" {
		t.Errorf("exit %d, %q, %q", code, g.Out.String(), g.Errors.String())
	}
}

func TestCtrlCStopsBenchesOfTheTiers(t *testing.T) {
	for _, bench := range []string{"chain", "scale"} {
		t.Run(bench, func(t *testing.T) {
			g := startGroup(t, bench, "--duration", "1h", "--contenders", "warmline")
			g.member("tier-server warmline")
			g.member("tier-client warmline")
			g.signal(-g.Cmd.Process.Pid, syscall.SIGINT)
			await.Value(t, "the command ends", g.Ended)
			if left := g.members(); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if code := g.ProcessState.ExitCode(); code != 130 || g.Out.String() != "" || g.Errors.String() != "warmline-bench: interrupted\n" {
				t.Errorf("exit %d, %q, %q", code, g.Out.String(), g.Errors.String())
			}
		})
	}
}

// However it ends, what it started sees its input end.
func TestKilledItLeavesNoProcess(t *testing.T) {
	g := startGroup(t, "wire", "--duration", "1h", "--contenders", "rsocket-go", "--in-flight", "4")
	g.member("wire-client rsocket-go")
	g.signal(g.Cmd.Process.Pid, syscall.SIGKILL)
	await.Value(t, "the command ends", g.Ended)
	await.Until(t, "nobody is left", func() bool { return len(g.members()) == 0 })
}

func TestCrashOfOneContenderCostsNothingOfTheOthers(t *testing.T) {
	g := startGroup(t, append(tiny, "--duration", "1s", "--contenders", "tcp,http1", "--in-flight", "2", "--payload", "64", "--json")...)
	g.signal(g.member("wire-server tcp"), syscall.SIGKILL)
	g.Exit(1)
	r := decode(t, g.Out.String())
	if len(r.Results) != 1 || r.Results[0].Contender != "http1" || len(r.Failures) != 1 || r.Failures[0].Contender != "tcp" || r.Failures[0].Round != 1 {
		t.Fatalf("%s", g.Out.String())
	}
	if got := r.Failures[0].Error; !strings.Contains(got, "server: signal: killed") {
		t.Errorf("the failure is told as %q", got)
	}
	if want := fmt.Sprintf("tcp, 2 in flight, 64 B, round 1 came to nothing: %s\n", r.Failures[0].Error); !strings.Contains(g.Errors.String(), want) {
		t.Errorf("stderr: %s", g.Errors.String())
	}
}

func TestCtrlCStopsThePiecesAtOnce(t *testing.T) {
	g := startGroup(t, "pieces", "--pieces", "call", "--duration", "1h")
	g.member("pieces-edge")
	g.member("pieces-adapter")
	g.signal(-g.Cmd.Process.Pid, syscall.SIGINT)
	g.Exit(130)
	if left := g.members(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	g = startGroup(t, "pieces", "--pieces", "cache", "--duration", "1h")
	await.Until(t, "it has begun", func() bool { return g.Errors.String() != "" })
	g.Interrupt()
	g.Exit(130)
	if g.Out.String() != "" || !strings.HasSuffix(g.Errors.String(), "\nwarmline-bench: interrupted\n") {
		t.Errorf("%q, %q", g.Out.String(), g.Errors.String())
	}
}

func TestCrashOfAnEdgeCostsNothingOfTheOtherPieces(t *testing.T) {
	g := startGroup(t, append(tinyPieces, "--pieces", "call,cache", "--duration", "1s", "--json")...)
	g.signal(g.member("pieces-edge"), syscall.SIGKILL)
	g.Exit(1)
	var r pieces.Report
	if err := json.Unmarshal([]byte(g.Out.String()), &r); err != nil || len(r.Results) != 4 || len(r.Failures) != 1 {
		t.Fatalf("%v: %s", err, g.Out.String())
	}
	if f := r.Failures[0]; !strings.HasPrefix(f.Piece, "call from memory, ") || f.Round != 1 || !strings.Contains(f.Error, "signal: killed") {
		t.Errorf("%+v", f)
	}
}

// A report runs the other benches' command lines; the end is told once, and nothing is written.
func TestCtrlCDuringAReportSaysSoOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "report")
	g := startGroup(t, "report", "--quick", "--out", dir)
	g.member("tier-client")
	g.signal(-g.Cmd.Process.Pid, syscall.SIGINT)
	await.Value(t, "the command ends", g.Ended)
	if left := g.members(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if code := g.ProcessState.ExitCode(); code != 130 || g.Out.String() != "" || strings.Count(g.Errors.String(), "interrupted") != 1 {
		t.Errorf("exit %d, %q, %q", code, g.Out.String(), g.Errors.String())
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("%d files, %v", len(files), err)
	}
}
