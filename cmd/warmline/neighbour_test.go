package main

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"warmline.dev/nodelayer"
	"warmline.dev/protocol"
)

// Two sources of which nothing is kept: whatever one of them has, calls to the other
// succeed, and take no longer. Under load their p99 is compared.
func TestASickSourceLeavesItsNeighbourAloneUnderLoad(t *testing.T) {
	plain, err := plainBinary()
	if err != nil {
		t.Fatal(err)
	}
	l := theLoad(t)
	heavy := l.perSecond > 100
	well, ill := newMidTier(t, 500, 4*time.Millisecond), newMidTier(t, 500, 4*time.Millisecond)
	file := filepath.Join(t.TempDir(), "edge.yaml")
	text := `
defaults: {timeout: 400ms}
sources:
  well: {url: ` + well.url + `, reads: {item: {get: "/items?ids={id}", cache: off}}}
  ill: {url: ` + ill.url + `, reads: {item: {get: "/items?ids={id}", cache: off}}}
services:
  well: {1.0.0: {item: {read: well.item, args: {id: string}}}}
  ill: {1.0.0: {item: {read: ill.item, args: {id: string}}}}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	e := startEdgeOf(t, plain, "--config", file, "--passport-keys", keyFile(t))
	line := dial(t, e.at)
	ask := func(service string) func() string {
		return func() string {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			conv := line.Converse(ctx)
			defer conv.Close()
			if _, err := nodelayer.Call[any](ctx, conv, service+".item", map[string]any{"id": "1"}); err != nil {
				return protocol.AsError(err).Code.String()
			}
			return ""
		}
	}
	// phase asks both for a while and returns the p99 of the well one.
	phase := func(sickness string) time.Duration {
		t.Helper()
		ill.sickness.Store(&sickness)
		wellLoad, illLoad := l, l
		wellLoad.lasts, illLoad.lasts = l.lasts/3, l.lasts/3
		if heavy {
			wellLoad.perSecond, illLoad.perSecond = 300, 100
		}
		ofWell, ofIll := &report{failures: map[string]int{}}, &report{failures: map[string]int{}}
		over := make(chan struct{})
		go func() {
			defer close(over)
			ofIll.fill(illLoad, ask("ill"))
		}()
		ofWell.fill(wellLoad, ask("well"))
		<-over
		if ofWell.failed > 0 {
			t.Errorf("%s: %d of %d calls to the other source failed: %v", sickness, ofWell.failed, ofWell.sent, ofWell.failures)
		}
		if sickness == "" && ofIll.failed > ofIll.sent/2 {
			t.Errorf("it is well, and %d of %d calls failed: %v", ofIll.failed, ofIll.sent, ofIll.failures)
		}
		slices.Sort(ofWell.latencies)
		p99 := ofWell.latencies[len(ofWell.latencies)*99/100]
		t.Logf("%-8s the other source's calls: p99 %v of %d; its own: %d of %d failed", sickness, p99.Round(10*time.Microsecond), ofWell.sent, ofIll.failed, ofIll.sent)
		return p99
	}
	phase("") // connections are made
	before := phase("")
	for _, sickness := range []string{"hang", "half", "slow", "garbage", "huge"} {
		// What else the machine does can only make it look worse, and for a while: what a
		// sick source does to its neighbour is there each time.
		least := math.Inf(1)
		for try := 0; try == 0 || heavy && try < 4 && least > 1.1; try++ {
			ill := phase(sickness)
			after := phase("")
			least = min(least, float64(ill)/(float64(before+after)/2))
			before = after
		}
		t.Logf("p99 of calls to the other source beside one with %s: %.3f of the usual", sickness, least)
		if heavy && least > 1.1 {
			t.Errorf("beside a source with %s the p99 is %.3f of the usual, each of four times", sickness, least)
		}
	}
}
