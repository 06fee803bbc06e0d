package edgelayer_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/protocol"
)

// left is what echo.left answered: the time until the method's deadline.
func left(t *testing.T, answer string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(strings.Trim(answer, `"`))
	if err != nil {
		t.Fatalf("the method sees %s", answer)
	}
	return d
}

func TestAMethodSeesItsDeadline(t *testing.T) {
	for what, tc := range map[string]struct{ most, budget, want time.Duration }{
		"the budget that came":      {2 * time.Hour, time.Hour, time.Hour},
		"MaxBudget, if less":        {time.Hour, 5 * time.Hour, time.Hour},
		"MaxBudget, if none came":   {time.Hour, 0, time.Hour},
		"the default of MaxBudget":  {0, 0, 30 * time.Second},
		"the default, if less":      {0, time.Hour, 30 * time.Second},
		"a budget in milliseconds":  {0, 20*time.Second + 999*time.Microsecond, 20 * time.Second},
		"the longest that is there": {time.Hour, 10000 * time.Hour, time.Hour},
	} {
		t.Run(what, func(t *testing.T) {
			l := start(t, edgelayer.Config{Services: []edgelayer.Service{echo()}, MaxBudget: tc.most}).dial("")
			check := func(answer string) {
				t.Helper()
				if got := left(t, answer); got > tc.want || got < tc.want/2 {
					t.Errorf("%v are left, want nearly %v", got, tc.want)
				}
			}
			check(l.ask(protocol.Metadata{Route: "echo.left", Budget: tc.budget}, ""))
			c := l.converseWith(protocol.Metadata{Budget: tc.budget}, `[1,1,"echo.left",{}]`)
			check(strings.TrimSuffix(strings.TrimPrefix(c.hear()[0], "[3,1,"), "]"))
		})
	}
}

func TestASpentBudgetEndsMethodAndCall(t *testing.T) {
	g, gates := newGate(t)
	l := offering(t, gates).dial("")
	l.wantWith(protocol.Metadata{Route: "gate.wait", Budget: time.Millisecond}, `{"n":1}`, "ERROR deadline_exceeded context deadline exceeded")
	c := l.converseWith(protocol.Metadata{Budget: 20 * time.Millisecond}, `[1,1,"gate.wait",{"n":2}]`)
	c.want("ERROR deadline_exceeded context deadline exceeded")
	for len(g.entered) > 0 { // a budget may be spent before the method begins
		<-g.entered
		g.wantEnded(t, 1, context.DeadlineExceeded)
	}
}

func TestMaxBudgetEndsAConversationThatStatesNone(t *testing.T) {
	g, gates := newGate(t)
	e := start(t, edgelayer.Config{Services: []edgelayer.Service{gates}, MaxBudget: 20 * time.Millisecond})
	c := e.dial("").converse(`[1,1,"gate.wait",{"n":1}]`)
	c.want("ERROR deadline_exceeded context deadline exceeded")
	c = e.dial("").converse() // none under way
	c.want("ERROR deadline_exceeded context deadline exceeded")
	await.Until(t, "the conversations to be gone", func() bool { return e.Stats().Conversations == 0 })
	_ = g
}
