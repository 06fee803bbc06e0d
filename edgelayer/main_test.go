package edgelayer_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// The test binary is the asker of the benchmarks, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == askerCommand {
		if err := askAsTold(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}
