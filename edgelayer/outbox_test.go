package edgelayer_test

import (
	"fmt"
	"strings"
	"testing"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/internal/wildcard"
	"warmline.dev/protocol/rsocket"
)

// An adapter grants credit for payloads, so the answers that have waited for it
// leave in one.
func TestAnswersThatWaitForCreditLeaveTogether(t *testing.T) {
	const calls = 20
	e := offering(t, echo())
	c := e.dialBy(rsocket.Config{Window: 1}).converse(bigs(calls)...)
	await.Until(t, "all calls to be run", func() bool { return e.Stats().Calls == calls })
	payloads := 0
	for heard := 0; heard < calls; payloads++ {
		heard += len(c.hear())
	}
	if payloads > calls/2 {
		t.Errorf("%d answers came in %d payloads", calls, payloads)
	}
}

// Answers that fit a payload each arrive, also where they don't fit one together;
// and what fits none is a failure of its call alone.
func TestAnswersThatDoNotFitOnePayloadLeaveInSeveral(t *testing.T) {
	const calls = 10
	e := start(t, edgelayer.Config{Services: []edgelayer.Service{echo()}, MaxMessage: 1000, RSocket: rsocket.Config{MaxPayload: 450}})
	l := e.dial("")
	for range 5 {
		c := l.converse(append(bigs(calls), `[1,99,"echo.big",{"n":900}]`)...)
		heard := strings.Join(c.hearAll(calls+1), "\n")
		for id := range calls {
			if want := fmt.Sprintf(`[3,%d,{"text":"bbb`, id); !strings.Contains(heard, want) {
				t.Errorf("heard %s\nwant %s", heard, want)
			}
		}
		if !wildcard.Match(heard, `…[4,99,"too_large",…`) {
			t.Errorf("heard %s\nwant call 99 to be too large", heard)
		}
		c.ch.Cancel()
	}
}

// bigs are calls that are answered with about 120 bytes each.
func bigs(n int) (calls []string) {
	for id := range n {
		calls = append(calls, fmt.Sprintf(`[1,%d,"echo.big",{"n":100}]`, id))
	}
	return calls
}
