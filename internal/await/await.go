// Package await is how tests wait: for what a channel announces, and for what
// nothing announces. Its bounds keep a broken test from hanging; none is a
// measurement.
package await

import (
	"context"
	"testing"
	"time"
)

const patience = 20 * time.Second

// Context returns a context that lives as long as a test may reasonably wait.
func Context(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// Until polls until done holds, or fails the test with what was waited for.
func Until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// Value takes one value from a channel, or fails the test with what was waited for.
func Value[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain: %s", what)
		panic("not reached")
	}
}
