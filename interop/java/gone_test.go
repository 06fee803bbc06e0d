package java

import (
	"strings"
	"testing"

	"warmline.dev/internal/await"
)

// hanging has a request of each model under way that is never answered.
func hanging(t *testing.T, asks, answers end) []*pending {
	t.Helper()
	var all []*pending
	before := len(answers.seen(t, "hung", 0))
	for i, scenario := range []string{"response", "stream", "channel"} {
		all = append(all, asks.start(scenario, script{Data: "hang", Then: "never"}))
		answers.seen(t, "hung", before+i+1)
	}
	return all
}

// A requester gives up in the middle: the other end's handler is told, and the
// connection goes on.
func TestGiveUp(t *testing.T) {
	link{}.each(t, func(t *testing.T, asks, answers end, _ *proxy) {
		for i, request := range hanging(t, asks, answers) {
			request.cancel()
			if a := request.wait(t); a.End != "canceled" {
				t.Errorf("a request that was given up: %s", a)
			}
			answers.seen(t, "released", i+1)
		}
		want(t, asks, "stream", script{Data: "100000000", Take: 3}, "item 0, item 1, item 2: canceled")
		answers.seen(t, "released", 4)
		want(t, asks, "response", script{Data: "still there?"}, "still there?: complete")
	})
}

// The connection is cut in the middle of requests of both ends: each fails soon,
// and every handler is told.
func TestCut(t *testing.T) {
	link{}.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, p *proxy) {
		waiting := append(hanging(t, theirs, ours), hanging(t, ours, theirs)...)
		p.Cut()
		for _, w := range waiting {
			if a := w.wait(t); a.End != "error" || a.Code != 0 {
				t.Errorf("a request on a connection that was cut: %s", a)
			}
		}
		wantOver(t, theirs, ours)
	})
}

// rsocket-java's end closes: it says CONNECTION_ERROR, "Disposed", where ours
// says nothing.
func TestTheyClose(t *testing.T) {
	link{}.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, _ *proxy) {
		wait1, wait2 := hanging(t, theirs, ours), hanging(t, ours, theirs)
		theirs.close(t)
		for _, w := range wait1 {
			if a := w.wait(t); !strings.Contains(a.Text, "ClosedChannelException") {
				t.Errorf("their request: %s", a)
			}
		}
		for _, w := range wait2 {
			if a := w.wait(t); a.Code != 0x101 || a.Text != "Disposed" {
				t.Errorf("our request: %s", a)
			}
		}
		wantOver(t, theirs, ours)
	})
}

func TestWeClose(t *testing.T) {
	link{}.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, _ *proxy) {
		waiting := append(hanging(t, theirs, ours), hanging(t, ours, theirs)...)
		ours.close(t)
		for _, w := range waiting {
			if a := w.wait(t); a.End != "error" || a.Code != 0 {
				t.Errorf("a request on a connection that was closed: %s", a)
			}
		}
		wantOver(t, theirs, ours)
	})
}

// wantOver wants both ends to hold nothing of a connection with hanging requests
// of both, and to say so to who comes later.
func wantOver(t *testing.T, theirs *javaEnd, ours *ourEnd) {
	t.Helper()
	for _, e := range []end{theirs, ours} {
		e.seen(t, "released", 3)
		e.seen(t, "closed", 1)
		for _, scenario := range []string{"response", "stream", "channel"} {
			if a := run(t, e, scenario, script{Data: "anybody?"}); a.End != "error" {
				t.Errorf("%s on a connection that is over: %s", scenario, a)
			}
		}
	}
	await.Until(t, "nothing is under way", func() bool { return ours.conn.InFlight() == 0 })
}
