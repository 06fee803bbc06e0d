package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"runtime"
	"time"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/wire/contender"
)

// Lines that the measuring process and its two peers tell each other.
const (
	lineWarm    = "warm"    // the client, when it has warmed up
	lineMeasure = "measure" // to the client
	lineMallocs = "mallocs" // to the server, which tells how many there were
)

// Serve is the server's process: it prints its address, and then what it is asked for.
func Serve(name string, load contender.Load, stdin io.Reader, stdout io.Writer) error {
	c, err := contender.Find(name)
	if err != nil {
		return err
	}
	return harness.Told(stdin, func(lines <-chan string) error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		served := make(chan error, 1)
		go func() { served <- c.Serve(l, load) }()
		_, _ = fmt.Fprintln(stdout, l.Addr()) // if nobody listens, stdin has ended too
		for {
			select {
			case err := <-served:
				return err
			case <-lines:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				_, _ = fmt.Fprintln(stdout, m.Mallocs) // as above
			}
		}
	})
}

// Question is what a client's process is to do.
type Question struct {
	Contender        string
	Address          string // of the server
	Load             contender.Load
	WarmUp, Duration time.Duration
}

// Ask is the client's process: it says when it is warm, measures when it is told
// to, and prints a [Sample].
func Ask(ctx context.Context, q Question, stdin io.Reader, stdout io.Writer) error {
	c, err := contender.Find(q.Contender)
	if err != nil {
		return err
	}
	return harness.Told(stdin, func(lines <-chan string) error {
		client, err := c.Dial(ctx, q.Address, q.Load)
		if err != nil {
			return fmt.Errorf("dial: %w", err)
		}
		loop := NewLoop(client, q.Load)
		if q.WarmUp > 0 {
			if _, err := loop.Run(ctx, q.WarmUp); err != nil {
				return fmt.Errorf("warming up: %w", err)
			}
		}
		_, _ = fmt.Fprintln(stdout, lineWarm) // if nobody listens, stdin has ended too
		<-lines
		sample, err := loop.Run(ctx, q.Duration)
		if err != nil {
			return err
		}
		return json.NewEncoder(stdout).Encode(sample)
	})
}
