package rsocketgo

import (
	"testing"

	"go.uber.org/goleak"
)

// The pool that ants, which rsocket-go uses, starts when it is imported never
// ends. Everything else has to, rsocket-go's goroutines too.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/panjf2000/ants/v2.(*Pool).purgePeriodically"))
}
