package java

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"warmline.dev/internal/await"
)

// jvm is the one process in which rsocket-java runs; starting it takes longer
// than most tests. A command is a line of JSON, its answer another.
var jvm process

type process struct {
	once sync.Once
	err  error // why it did not start

	cmd    *exec.Cmd
	in     io.WriteCloser
	stderr bytes.Buffer
	ended  chan struct{}

	// guarded by mu
	mu      sync.Mutex
	last    int64
	waiting map[int64]chan answer
}

type command struct {
	ID       int64  `json:"id"`
	Scenario string `json:"scenario"`
	On       int64  `json:"on"` // the connection, server or command meant
	With     any    `json:"with,omitempty"`
}

// need starts the process with the first test that needs it. Where it can't be
// had the tests are skipped: that may happen to a visitor, and not to the project.
func (p *process) need(t *testing.T) {
	t.Helper()
	if err := missing(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI needs a JDK and Maven: %v", err)
		}
		t.Skipf("rsocket-java is not tried: a JDK 17 and Maven are needed: %v", err)
	}
	p.once.Do(func() {
		if p.err = build(); p.err == nil {
			p.err = p.start()
		}
	})
	if p.err != nil {
		t.Fatal(p.err)
	}
}

func (p *process) start() error {
	// Quick to start rather than fast. What the library logs is the stack of every
	// error that a test makes it have; raise the level to see it.
	p.cmd = exec.Command("java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx1g",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "-cp", jar+string(os.PathListSeparator)+lib, "peer.Peer")
	p.cmd.Stderr = &p.stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	p.in, p.ended, p.waiting = in, make(chan struct{}), map[int64]chan answer{}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go p.read(out)
	return nil
}

func (p *process) read(out io.Reader) {
	defer close(p.ended)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var a answer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			a = failed("a line that is no answer: " + lines.Text())
		}
		p.give(a.ID, a)
	}
	err := p.cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, c := range p.waiting {
		delete(p.waiting, id)
		c <- failed("the JVM has ended: " + errorText(err) + p.stderr.String())
	}
}

func (p *process) give(id int64, a answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.waiting[id]; c != nil {
		delete(p.waiting, id)
		c <- a
	}
}

// send starts a command.
func (p *process) send(scenario string, on int64, with any) *pending {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	id, done := p.last, make(chan answer, 1)
	p.waiting[id] = done
	line, err := json.Marshal(command{id, scenario, on, with})
	if err == nil {
		_, err = p.in.Write(append(line, '\n'))
	}
	if err != nil {
		delete(p.waiting, id)
		done <- failed("to the JVM: " + err.Error())
	}
	return &pending{done: done, cancel: func() { p.send("cancel", id, nil) }}
}

// do waits for the answer, which must be one.
func (p *process) do(t *testing.T, scenario string, on int64, with any) answer {
	t.Helper()
	a := p.send(scenario, on, with).wait(t)
	if a.End != "" {
		t.Fatalf("rsocket-java, %s: %s", scenario, a)
	}
	return a
}

// stop ends the process, and lets it go on for a moment to do so.
func (p *process) stop() {
	if p.cmd == nil || p.cmd.Process == nil {
		return
	}
	_ = p.in.Close() // which tells it to end
	select {
	case <-p.ended:
	case <-time.After(5 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// pending is a scenario under way.
type pending struct {
	done   <-chan answer
	cancel func()
}

func (p *pending) wait(t *testing.T) answer {
	t.Helper()
	return await.Value(t, "a scenario's answer", p.done)
}
