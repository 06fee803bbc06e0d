package harness

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Process is another process, mostly of this program. It is spoken to in lines, on its
// standard input and output, and ends when its input does: so none is left
// behind, however this process ends.
type Process struct {
	name   string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	errors *beginning
}

// Start runs this program with other arguments. The end of ctx kills it. name is
// for errors.
func Start(ctx context.Context, name string, args ...string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return StartCommand(name, exec.CommandContext(ctx, self, args...))
}

// StartCommand is Start for another program, which has to end when its standard
// input does. Errors quote its standard error, unless the command has that go elsewhere.
func StartCommand(name string, cmd *exec.Cmd) (*Process, error) {
	p := &Process{name: name, cmd: cmd, errors: &beginning{}}
	if p.cmd.Stderr == nil {
		p.cmd.Stderr = p.errors
	}
	p.cmd.WaitDelay = time.Second
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// Line returns the next line that the process prints. If it prints none any more
// it has been stopped when Line returns, and the error says how it ended.
func (p *Process) Line() (string, error) {
	line, err := p.out.ReadString('\n')
	if err == nil {
		return strings.TrimSuffix(line, "\n"), nil
	}
	if stopped := p.Stop(); stopped != nil {
		return "", stopped
	}
	return "", fmt.Errorf("%s: it ended before it had said what was expected", p.name)
}

// Ask tells the process a line and returns the next one that it prints.
func (p *Process) Ask(line string) (string, error) {
	_, _ = fmt.Fprintln(p.in, line) // if it is gone, Line says why
	return p.Line()
}

// Usage is what the process has used and holds, as the system tells it. It may be
// asked for at any time after the start.
func (p *Process) Usage() Usage { return UsageOf(p.cmd.Process.Pid) }

// Stop ends the process, and returns when it is gone. It may be called twice;
// the error says how it ended if that was not well, and is told once.
func (p *Process) Stop() error {
	if p.cmd.ProcessState != nil {
		return nil
	}
	_ = p.in.Close() // it may have gone before
	err := p.cmd.Wait()
	if err == nil || errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	if said := p.errors.String(); said != "" {
		return fmt.Errorf("%s: %w: %s", p.name, err, said)
	}
	return fmt.Errorf("%s: %w", p.name, err)
}

// beginning keeps what is written first, which is where a panic says what it is.
type beginning struct {
	mu sync.Mutex
	b  []byte // guarded by mu
}

func (b *beginning) Write(p []byte) (int, error) {
	const enough = 1 << 10
	b.mu.Lock()
	defer b.mu.Unlock()
	b.b = append(b.b, p[:min(len(p), max(0, enough-len(b.b)))]...)
	return len(p), nil
}

func (b *beginning) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.TrimSpace(string(b.b))
}

// Told is the other end of [Process]: it runs work in a process that was started
// so, with the lines that it is told, and returns work's error, or nil as soon as
// the input ends. Then the process has to end too: work may still be running.
func Told(stdin io.Reader, work func(lines <-chan string) error) error {
	lines, over := make(chan string), make(chan struct{})
	go func() {
		defer close(over)
		for s := bufio.NewScanner(stdin); s.Scan(); {
			lines <- s.Text()
		}
	}()
	done := make(chan error, 1)
	go func() { done <- work(lines) }()
	select {
	case err := <-done:
		return err
	case <-over:
		return nil
	}
}
