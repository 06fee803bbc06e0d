package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"

	"go.uber.org/goleak"

	"warmline.dev/bench/wire"
	"warmline.dev/internal/proctest"
)

// binary is the real command, built once.
var binary string

func TestMain(m *testing.M) {
	var remove func()
	binary, remove = proctest.Build("warmline-bench")
	// Built with the race detector each process would sleep for a second at its
	// end, and here are hundreds.
	_ = os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0") // fails for bad names only
	goleak.VerifyTestMain(m,
		// Of a library that the command imports: the pool begins when it is imported.
		goleak.IgnoreTopFunction("github.com/panjf2000/ants/v2.(*Pool).purgePeriodically"),
		goleak.Cleanup(func(code int) {
			remove()
			os.Exit(code)
		}))
}

func run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return proctest.Run(t, exec.Command(binary, args...))
}

// decode takes what was printed for one JSON object and nothing else.
func decode(t *testing.T, stdout string) wire.Report {
	t.Helper()
	var r wire.Report
	d := json.NewDecoder(bytes.NewBufferString(stdout))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatalf("%v:\n%s", err, stdout)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		t.Errorf("more than one object:\n%s", stdout)
	}
	return r
}
