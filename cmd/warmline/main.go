// Command warmline runs the tiers of a remote service layer, one by one or all
// at once, and asks an edge from the shell. See warmline help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"warmline.dev/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait for the first
	os.Exit(cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
