// Command rsocket-go-adapter is an adapter service that uses nothing of
// Warmline's own code: it speaks the protocol with github.com/rsocket/rsocket-go
// and a msgpack library, from the protocol's documentation alone. See README.md.
//
// It reads from the inside out: line.go opens a line and negotiates it,
// device.go answers what the gateway asks on it, home.go makes the page, and
// conversation.go asks the edge. What travels is in hello.go, metadata.go and
// message.go; outbox.go, answer.go and guard.go are what it takes to use
// rsocket-go safely, and measure.go the same for msgpack.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/rsocket/rsocket-go/logger"
)

func main() {
	logger.SetLogger(nil) // what matters of what rsocket-go says comes back as an error
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
