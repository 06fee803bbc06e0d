package java

import (
	"context"
	"strings"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/cut"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// plenty is a lease that no test uses up.
var plenty = leaseOptions{Requests: 1_000_000, TTL: 60_000, Waiting: 256}

// Leases of fewer requests than are made: either requester waits for the next
// one, and nothing is refused.
//
// The requests begin together, with the first lease: those that are on their way
// while a lease is renewed count on the new one, of which the requester knows
// nothing, and may be refused.
func TestLeasesAreWaitedFor(t *testing.T) {
	const requests, times, every = 10, 5, 300
	l := link{
		ours:   rsocket.Config{LeaseRequests: requests, LeaseTTL: every * time.Millisecond},
		theirs: options{Lease: &leaseOptions{Requests: requests, TTL: 10_000, Every: every, Waiting: 256}},
	}
	ask := func(t *testing.T, asks, answers end) {
		var all []*pending
		for scenario, s := range map[string]script{
			"response": {Data: "ask"},
			"stream":   {Data: "1"},
			// A channel of rsocket-java that is complete before there is a lease is
			// never sent, and never ends.
			"channel": {Data: "say", Then: "never", Take: 1},
			"forget":  {Data: "note"},
		} {
			s.Times = times
			all = append(all, asks.start(scenario, s))
		}
		for _, p := range all {
			for _, a := range p.wait(t).All {
				if a.End == "error" {
					t.Error(a)
				}
			}
		}
		answers.seen(t, "forgotten", times)
	}
	// A connection for each: the leases begin with it.
	t.Run("rsocket-java asks", func(t *testing.T) {
		l.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, _ *proxy) { ask(t, theirs, ours) })
	})
	t.Run("we ask", func(t *testing.T) {
		l.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, _ *proxy) { ask(t, ours, theirs) })
	})
}

// We grant three requests once: rsocket-java's requester, told not to wait, makes
// three and refuses the fourth itself.
func TestTheyHonourOurLease(t *testing.T) {
	lease := plenty
	lease.Waiting = 0
	l := link{
		ours:   rsocket.Config{LeaseRequests: 3, LeaseTTL: time.Minute},
		theirs: options{Lease: &lease},
	}
	l.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, _ *proxy) {
		// Its requests are refused until it has seen the lease.
		await.Until(t, "there is a lease", func() bool { return run(t, theirs, "response", script{Data: "a"}).End == "complete" })
		want(t, theirs, "stream", script{Data: "1"}, "item 0: complete")
		want(t, theirs, "channel", script{Data: "3"}, "3: complete; sending: complete")
		for _, scenario := range []string{"response", "stream", "channel", "forget"} {
			a := run(t, theirs, scenario, script{Data: "too much"})
			if a.Code != uint32(frame.CodeRejected) || !strings.Contains(a.Text, "Missing leases") {
				t.Errorf("%s behind the lease: %s", scenario, a)
			}
		}
	})
}

// They grant three requests once: our fourth waits, for as long as its caller does.
func TestWeHonourTheirLease(t *testing.T) {
	l := link{
		ours:   rsocket.Config{LeaseRequests: 1000},
		theirs: options{Lease: &leaseOptions{Requests: 3, TTL: 60_000}},
	}
	l.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, _ *proxy) {
		want(t, ours, "response", script{Data: "1"}, "1: complete")
		want(t, ours, "stream", script{Data: "1"}, "item 0: complete")
		want(t, ours, "channel", script{Data: "3"}, "3: complete; sending: complete")
		wantWaiting(t, ours)
	})
}

// A lease that has expired is none.
func TestTheirLeaseExpires(t *testing.T) {
	l := link{
		ours:   rsocket.Config{LeaseRequests: 1000},
		theirs: options{Lease: &leaseOptions{Requests: 1000, TTL: 100}},
	}
	l.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, _ *proxy) {
		want(t, ours, "response", script{Data: "now"}, "now: complete")
		time.Sleep(120 * time.Millisecond) // what is tried is that time passes
		wantWaiting(t, ours)
	})
}

// wantWaiting wants every kind of request to wait for a lease until it is given up.
func wantWaiting(t *testing.T, ours *ourEnd) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	for scenario := range map[string]bool{"response": true, "stream": true, "channel": true, "forget": true} {
		if a := ours.one(ctx, scenario, script{Data: "too much"}); !strings.Contains(a.Text, context.DeadlineExceeded.Error()) {
			t.Errorf("%s behind the lease: %s", scenario, a)
		}
	}
}

// A server of rsocket-java that has leases grants and demands them of every
// client, whether it asked for leases or not.
func TestLeaseNotAskedFor(t *testing.T) {
	ours, _, _ := link{theirs: options{Lease: &leaseOptions{Requests: 3, TTL: 60_000}}}.weDial(t)
	await.Until(t, "there is a lease", func() bool { return run(t, ours, "response", script{Data: "a"}).End == "complete" })
	want(t, ours, "stream", script{Data: "1"}, "item 0: complete")
	run(t, ours, "forget", script{Data: "a"})
	for _, scenario := range []string{"response", "stream", "channel"} {
		a := run(t, ours, scenario, script{Data: "too much"})
		if a.Code != uint32(frame.CodeRejected) || !strings.Contains(a.Text, "request allowance is used") {
			t.Errorf("%s behind the lease: %s", scenario, a)
		}
	}
}

// Ours has no leases for a client that asks for none; it asks as much as it wants.
func TestLeaseNotAskedForByThem(t *testing.T) {
	theirs, _, _ := link{ours: rsocket.Config{LeaseRequests: 3, LeaseTTL: time.Minute}}.javaDials(t)
	for range 10 {
		want(t, theirs, "response", script{Data: "a"}, "a: complete")
	}
}

// A client asks for leases of a server that has none: ours says UNSUPPORTED_SETUP,
// theirs INVALID_SETUP.
func TestLeaseRefused(t *testing.T) {
	t.Run("by us", func(t *testing.T) {
		l := link{theirs: options{Lease: &plenty}}
		theirs := l.connect(t, cut.New(t, l.serve(t, nil)))
		if c := theirs.seen(t, "closed", 1)[0]; c.Code != uint32(frame.CodeUnsupportedSetup) {
			t.Errorf("closed: 0x%X %s", c.Code, c.Text)
		}
	})
	t.Run("by them", func(t *testing.T) {
		ours, _, _ := link{ours: rsocket.Config{LeaseRequests: 3}}.dial(t)
		wantClosed(t, ours, "0x1 lease is not supported")
	})
}
