package interop

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rsocket/rsocket-go/logger"
	"go.uber.org/goleak"
)

// The pool that ants, which rsocket-go uses, starts when it is imported never
// ends. Everything else has to, rsocket-go's goroutines too.
func TestMain(m *testing.M) {
	logger.SetLogger(nil) // it warns of every connection that ends
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/panjf2000/ants/v2.(*Pool).purgePeriodically"))
}

// patience bounds waits for what must happen; no test depends on how long it took.
const patience = 20 * time.Second

// within returns what f returns, and fails the test if it does not return.
func within[T any](t *testing.T, what string, f func() T) T {
	t.Helper()
	done := make(chan T, 1)
	go func() { done <- f() }()
	return take(t, what, done)
}

// take receives from c.
func take[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain: %s\n%s", what, stacks())
		panic("not reached")
	}
}

// eventually polls until done holds.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s\n%s", what, stacks())
		}
	}
}

// quiet waits until every write loop of rsocket-go has nothing to write: closing
// it meanwhile is one of its data races.
func quiet(t *testing.T) {
	t.Helper()
	eventually(t, "rsocket-go's write loops are idle", func() bool {
		for g := range strings.SplitSeq(stacks(), "\n\n") {
			head, _, _ := strings.Cut(g, "\n")
			if strings.Contains(g, ").LoopWrite(") && !strings.Contains(head, "[select") {
				return false
			}
		}
		return true
	})
}

func stacks() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}
