package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/tier"
)

// Serve is the server's process. It prints its address when its caches are warm, and
// then a [Served] for each line that it is told.
func Serve(ctx context.Context, name string, stdin io.Reader, stdout io.Writer) error {
	c, err := contender.Find(name)
	if err != nil {
		return err
	}
	return harness.Told(stdin, func(lines <-chan string) error {
		t, err := tier.New(tier.Config{Marshal: c.Marshal})
		if err != nil {
			return err
		}
		if err := t.Warm(ctx); err != nil {
			return err
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		counted := harness.NewCounted(l)
		served := make(chan error, 1)
		go func() { served <- c.Serve(ctx, counted, t) }()
		_, _ = fmt.Fprintln(stdout, l.Addr()) // if nobody listens, stdin has ended too
		for {
			select {
			case err := <-served:
				return err
			case <-lines:
				_ = json.NewEncoder(stdout).Encode(Served{Usage: harness.ThisUsage(), Bytes: counted.Bytes()}) // as above
			}
		}
	})
}
