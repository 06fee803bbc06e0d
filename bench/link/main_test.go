package link_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"warmline.dev/bench/link"
)

// commands make this test's program what the command is otherwise.
var commands = link.Commands{
	Link: func(to []string, oneWay time.Duration) []string {
		return append([]string{"link", oneWay.String()}, to...)
	},
	Echo: []string{"echo"},
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "link" || os.Args[1] == "echo") {
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

func peer(args []string) error {
	if args[0] == "echo" {
		return link.ServeEcho(os.Stdin, os.Stdout)
	}
	oneWay, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	return link.Serve(link.Config{To: args[2:], OneWay: oneWay}, os.Stdin, os.Stdout)
}
