// Command warmline-bench measures Warmline against what else could be used. See
// warmline-bench help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"warmline.dev/bench"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait for the first
	os.Exit(bench.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
