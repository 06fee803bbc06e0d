package java

import (
	"testing"

	"go.uber.org/goleak"

	"warmline.dev/internal/await"
)

// suite ends the JVM before goroutines are counted.
type suite struct{ *testing.M }

func (s suite) Run() int {
	code := s.M.Run()
	jvm.stop()
	return code
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(suite{m}) }

// within returns what f returns, and fails the test if it does not return.
func within[T any](t *testing.T, what string, f func() T) T {
	t.Helper()
	done := make(chan T, 1)
	go func() { done <- f() }()
	return await.Value(t, what, done)
}
