package peer

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"time"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/tier"
)

// Edge is how a server is set up.
type Edge struct {
	// Address is where it listens. Default: any port of 127.0.0.1.
	Address string
	// TTL is how long a value of its caches is fresh. Default: an hour, longer than a
	// bench.
	TTL time.Duration
}

// Serve is the server's process. It prints its address when its caches are warm, and
// then a [Served] for each line that it is told. It may be told to settle before, to
// have its source hang, and to stop when what is under way is done.
func Serve(ctx context.Context, name string, e Edge, stdin io.Reader, stdout io.Writer) error {
	c, err := contender.Find(name)
	if err != nil {
		return err
	}
	return harness.Told(stdin, func(lines <-chan string) error {
		var s source
		t, err := tier.New(tier.Config{Marshal: c.Marshal, TTL: e.TTL, Source: s.read})
		if err != nil {
			return err
		}
		if err := t.Warm(ctx); err != nil {
			return err
		}
		l, err := net.Listen("tcp", cmp.Or(e.Address, "127.0.0.1:0"))
		if err != nil {
			return err
		}
		counted := harness.NewCounted(l)
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		served := make(chan error, 1)
		go func() { served <- c.Serve(ctx, counted, t) }()
		_, _ = fmt.Fprintln(stdout, l.Addr()) // if nobody listens, stdin has ended too
		for {
			select {
			case err := <-served:
				return err
			case line := <-lines:
				switch line {
				case lineSettle:
					harness.Settle()
				case lineHang, lineHeal:
					s.hang(line == lineHang)
				case lineStop:
					stop()
					if err := <-served; err != nil {
						return err
					}
					served = nil // it waits for the end of its input
				}
				_ = json.NewEncoder(stdout).Encode(Served{Usage: harness.ThisUsage(), Bytes: counted.Bytes()}) // as above
			}
		}
	})
}
