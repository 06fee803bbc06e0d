package link_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"warmline.dev/bench/link"
)

// The test binary is the program that starts itself, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == link.ServerCommand || os.Args[1] == link.EchoCommand) {
		if err := peer(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// Built with the race detector each process would sleep for a second at its end.
	_ = os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0") // fails for bad names only
	goleak.VerifyTestMain(m)
}

// peer takes flags in the order in which [link.Start] gives them.
func peer(args []string) error {
	if args[0] == link.EchoCommand {
		return link.ServeEcho(os.Stdin, os.Stdout)
	}
	oneWay, err := time.ParseDuration(args[4])
	if err != nil {
		return err
	}
	return link.Serve(link.Config{To: strings.Split(args[2], ","), OneWay: oneWay}, os.Stdin, os.Stdout)
}
