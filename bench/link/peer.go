package link

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"warmline.dev/bench/harness"
)

// Subcommands by which this program becomes a link, with a flag for its targets,
// separated by commas, and one for its delay; and what [Measure] makes round trips to.
const (
	ServerCommand = "link-server" // [Serve]
	EchoCommand   = "link-echo"   // [ServeEcho]
	ToFlag        = "to"
	OneWayFlag    = "one-way"
)

// Serve is a link's process: it prints an address for each target, a line each, and
// then its [Late] for each line that it is told.
func Serve(cfg Config, stdin io.Reader, stdout io.Writer) error {
	return harness.Told(stdin, func(lines <-chan string) error {
		l, err := New(cfg)
		if err != nil {
			return err
		}
		for _, address := range l.Addresses() {
			_, _ = fmt.Fprintln(stdout, address) // if nobody listens, stdin has ended too
		}
		for range lines {
			if err := json.NewEncoder(stdout).Encode(l.Late()); err != nil {
				return err
			}
		}
		return nil
	})
}

// Process is a link in a process of its own. It is for one goroutine at a time.
type Process struct {
	*harness.Process
	Addresses []string // as [Link.Addresses] has them
}

// Start starts a link, which the caller stops. The end of ctx kills it.
func Start(ctx context.Context, oneWay time.Duration, to ...string) (*Process, error) {
	started, err := harness.Start(ctx, "link", ServerCommand, "--"+ToFlag, strings.Join(to, ","), "--"+OneWayFlag, oneWay.String())
	if err != nil {
		return nil, err
	}
	p := &Process{Process: started}
	for range to {
		address, err := p.Line()
		if err != nil {
			return nil, err
		}
		p.Addresses = append(p.Addresses, address)
	}
	return p, nil
}

// Late is [Link.Late].
func (p *Process) Late() (late Late, err error) {
	line, err := p.Ask("late")
	if err != nil {
		return late, err
	}
	if err := json.Unmarshal([]byte(line), &late); err != nil {
		return late, fmt.Errorf("link: it printed %q: expected how late it was", line)
	}
	return late, nil
}

// ServeEcho is the process that [Measure] makes round trips to: it prints its
// address, and answers with what it reads.
func ServeEcho(stdin io.Reader, stdout io.Writer) error {
	return harness.Told(stdin, func(<-chan string) error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintln(stdout, l.Addr()) // if nobody listens, stdin has ended too
		for {
			conn, err := l.Accept()
			if err != nil {
				return err
			}
			go echo(conn)
		}
	})
}

func echo(conn net.Conn) {
	defer conn.Close()
	b := make([]byte, 1<<10)
	for {
		n, err := conn.Read(b)
		if err != nil {
			return
		}
		if _, err := conn.Write(b[:n]); err != nil {
			return
		}
	}
}
