package java

import (
	"testing"
	"time"

	"warmline.dev/protocol/rsocket"
)

// Both ends are there past the lifetime, though nobody says a thing.
func TestIdle(t *testing.T) {
	t.Parallel()
	briefly.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, _ *proxy) {
		t.Parallel()
		time.Sleep(3 * lifetime) // what is tried is that time passes
		want(t, theirs, "response", script{Data: "still there?"}, "still there?: complete")
		want(t, ours, "response", script{Data: "still there?"}, "still there?: complete")
	})
}

// An end that has fallen silent is noticed by either, and what waits for it fails.
func TestSilentPeer(t *testing.T) {
	t.Parallel()
	briefly.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, p *proxy) {
		t.Parallel()
		waiting := append(hanging(t, theirs, ours), hanging(t, ours, theirs)...)
		p.Freeze()
		for _, w := range waiting {
			if a := w.wait(t); a.End != "error" {
				t.Errorf("a request to an end that is silent: %s", a)
			}
		}
		wantClosed(t, theirs, "0x101 No keep-alive acks for 600 ms")
		ours.seen(t, "closed", 1)
		ours.seen(t, "released", 3)
		theirs.seen(t, "released", 3)
	})
}

const lifetime = 600 * time.Millisecond

var briefly = link{
	setup:  rsocket.Setup{KeepAlive: 200 * time.Millisecond, Lifetime: lifetime},
	theirs: options{KeepAlive: 200, Lifetime: int(lifetime.Milliseconds())},
}
