package edgelayer_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"warmline.dev/bench/pieces/memory"
)

// askerCommand is the first argument of an adapter in a process of its own: the test
// binary is that of the benchmarks, too.
const askerCommand = "asker"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == askerCommand {
		if err := memory.Ask(os.Args[2:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}
