package js

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// missing says why rsocket-js can't be run here; empty if it can.
var missing string

func TestMain(m *testing.M) {
	if err := install(); err != nil {
		missing = fmt.Sprintf("rsocket-js is missing: %v", err)
		if os.Getenv("CI") == "true" {
			fmt.Fprintln(os.Stderr, missing)
			os.Exit(1)
		}
	}
	goleak.VerifyTestMain(run{m})
}

// run stops the servers that the tests left running before leaks are looked for.
type run struct{ m *testing.M }

func (r run) Run() int {
	defer servers.stop()
	return r.m.Run()
}

// install has npm put the packages of the lock files in place, where they are not yet.
func install() error {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			return err
		}
	}
	for _, l := range libraries {
		lock, err := os.ReadFile(filepath.Join(l.dir, "package-lock.json"))
		if err != nil {
			return err
		}
		note := filepath.Join(l.dir, "node_modules", ".installed")
		if was, err := os.ReadFile(note); err == nil && bytes.Equal(was, lock) {
			continue
		}
		if err := npm(l.dir); err != nil {
			return err
		}
		if err := os.WriteFile(note, lock, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func npm(dir string) error {
	const patience = 3 * time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1")
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci in %s: %w\n%s", dir, err, out)
	}
	return nil
}
