package pieces

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"runtime"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/pieces/memory"
	"warmline.dev/edgelayer"
)

// Lines that an edge's process is told; it answers both with its [harness.Usage].
const (
	lineUsage   = "usage"
	lineCollect = "collect" // its garbage, first
)

// ServeEdge is the edge's process: it prints its address, and then what it is asked for.
func ServeEdge(stdin io.Reader, stdout io.Writer) error {
	return harness.Told(stdin, func(lines <-chan string) error {
		store, err := memory.New()
		if err != nil {
			return err
		}
		edge, err := edgelayer.New(edgelayer.Config{Services: store.Services()})
		if err != nil {
			return err
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		served := make(chan error, 1)
		go func() { served <- edge.Serve(l) }()
		_, _ = fmt.Fprintf(stdout, "tcp://%s\n", l.Addr()) // if nobody listens, stdin has ended too
		for {
			select {
			case err := <-served:
				return err
			case line := <-lines:
				if line == lineCollect {
					runtime.GC()
				}
				if err := json.NewEncoder(stdout).Encode(harness.ThisUsage()); err != nil {
					return err
				}
			}
		}
	})
}
