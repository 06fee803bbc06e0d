package java

import (
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/cut"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

var resumable = link{
	ours:   rsocket.Config{ResumeFor: 20 * time.Second},
	theirs: options{Resume: &resumeOptions{Retry: 20}},
}

// A connection is cut again and again in the middle of streams and channels:
// they go on as if nothing had been, and every item comes once and in order.
func TestResume(t *testing.T) {
	resumable.each(t, testResume)
}

func testResume(t *testing.T, asks, answers end, p *proxy) {
	t.Helper()
	const n, cuts = 100, 5
	waiting := hanging(t, asks, answers)
	stream := asks.start("stream", script{Data: "100 slowly"})
	channel := asks.start("channel", script{Data: "say", Send: n, Slowly: true})
	begun := answers.sent(t)
	for i := range cuts {
		await.Until(t, "items go on", func() bool { return answers.sent(t) >= begun+10*(i+1) })
		// A server of rsocket-java looks at a RESUME as late as it may, even if its
		// connection is gone by then and another one has taken over. Then it may find
		// that frames are missing, and gives the session up.
		p.Answered(t)
		p.Freeze() // what is sent now is lost, and has to be sent again
		lost := answers.sent(t)
		await.Until(t, "items are lost", func() bool { return answers.sent(t) >= lost+3 })
		p.Cut()
	}
	if got, want := stream.wait(t).String(), items("item", 0, n)+": complete"; got != want {
		t.Errorf("the stream: got %s\nwant %s", got, want)
	}
	if got, want := channel.wait(t).String(), "say, "+items("say", 1, n)+": complete; sending: complete"; got != want {
		t.Errorf("the channel: got %s\nwant %s", got, want)
	}
	for _, w := range waiting {
		w.cancel()
		w.wait(t)
	}
	answers.seen(t, "released", len(waiting))
	want(t, asks, "response", script{Data: "still there?"}, "still there?: complete")
}

// rsocket-java drops what our KEEPALIVE frames say has arrived: they say it right.
func TestResumeBehindKeepAlive(t *testing.T) {
	l := resumable
	l.setup = rsocket.Setup{KeepAlive: 30 * time.Millisecond, Lifetime: 10 * time.Second}
	l.theirs.KeepAlive, l.theirs.Lifetime = 30, 10_000
	l.theirs.Resume = &resumeOptions{Retry: 20, Cleanup: true}
	l.each(t, testResume)
}

// A connection is cut in the middle of a payload in a thousand pieces.
func TestResumeFragments(t *testing.T) {
	l := resumable
	l.ours.Fragment, l.theirs.Fragment = 1000, 1000
	l.theirs.Resume = &resumeOptions{Retry: 20, Retained: 4 << 20}
	data, came := large(1_000_000)
	l.each(t, func(t *testing.T, asks, answers end, p *proxy) {
		for scenario, end := range map[string]string{
			"response": ": complete", "stream": ": complete", "channel": ": complete; sending: complete",
		} {
			for _, passed := range []int64{300_000, 1_300_000} { // of the request, of the answer
				var a *pending
				p.FreezeBehind(t, passed, func() { a = asks.start(scenario, script{Data: data}) })
				p.Cut()
				if got := a.wait(t).String(); got != came+end {
					t.Errorf("%s: got %s, want %s", scenario, got, came+end)
				}
			}
		}
	})
}

// What is asked while there is no connection is answered when there is one.
func TestAskedMeanwhile(t *testing.T) {
	resumable.each(t, func(t *testing.T, asks, answers end, p *proxy) {
		target := p.Lead("")
		p.Cut()
		all := []*pending{
			asks.start("response", script{Data: "ask", Times: 50}),
			asks.start("stream", script{Data: "3", Times: 50}),
			asks.start("channel", script{Data: "say", Send: 3, Times: 50}),
			asks.start("forget", script{Data: "note"}),
		}
		p.Lead(target)
		for _, a := range all {
			for _, a := range a.wait(t).All {
				if a.End != "complete" {
					t.Error(a)
				}
			}
		}
		answers.seen(t, "forgotten", 1)
	})
}

// A connection that falls silent is left for a new one, and what was swallowed
// is sent again.
func TestResumeSilent(t *testing.T) {
	t.Parallel()
	l := resumable
	l.setup, l.theirs.KeepAlive, l.theirs.Lifetime = briefly.setup, briefly.theirs.KeepAlive, briefly.theirs.Lifetime
	l.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, p *proxy) {
		t.Parallel()
		p.Freeze()
		one, two := theirs.start("response", script{Data: "one"}), ours.start("response", script{Data: "two"})
		for got, want := range map[*pending]string{one: "one: complete", two: "two: complete"} {
			if got := got.wait(t).String(); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	})
}

// The client stays away for longer than its session is kept. A client of
// rsocket-java does not tell its user of REJECTED_RESUME, only that it is closed.
func TestSessionExpires(t *testing.T) {
	t.Run("ours", func(t *testing.T) {
		l := resumable
		l.ours.ResumeFor = 100 * time.Millisecond
		theirs, ours, p := l.javaDials(t)
		waiting := append(hanging(t, theirs, ours), hanging(t, ours, theirs)...)
		target := p.Lead("")
		p.Cut()
		ours.seen(t, "closed", 1)
		p.Lead(target)
		wantFailed(t, waiting)
		wantOver(t, theirs, ours)
	})
	t.Run("theirs", func(t *testing.T) {
		l := resumable
		l.theirs.Resume = &resumeOptions{Session: 100}
		ours, theirs, p := l.weDial(t)
		waiting := append(hanging(t, theirs, ours), hanging(t, ours, theirs)...)
		target := p.Lead("")
		p.Cut()
		theirs.seen(t, "closed", 1)
		p.Lead(target)
		wantFailed(t, waiting)
		wantRejected(t, ours)
		wantOver(t, theirs, ours)
	})
}

// The server is another one, which has never heard of the session.
func TestUnknownSession(t *testing.T) {
	t.Run("ours", func(t *testing.T) {
		theirs, ours, p := resumable.javaDials(t)
		waiting := hanging(t, theirs, ours)
		p.Lead(resumable.serve(t, make(chan *ourEnd, 1)))
		p.Cut()
		wantFailed(t, waiting)
		theirs.seen(t, "closed", 1)
	})
	t.Run("theirs", func(t *testing.T) {
		ours, theirs, p := resumable.weDial(t)
		waiting := hanging(t, ours, theirs)
		_, _, other := resumable.dial(t)
		p.Lead(other.Lead(""))
		p.Cut()
		wantFailed(t, waiting)
		wantRejected(t, ours)
	})
}

// One end has sent more than it keeps since the other received anything.
func TestFramesGone(t *testing.T) {
	l := resumable
	l.ours.MaxRetained = 64 << 10
	l.theirs.Resume = &resumeOptions{Retry: 20, Retained: 64 << 10}
	data, _ := large(50_000)
	for name, weSend := range map[string]bool{"ours": true, "theirs": false} {
		t.Run(name, func(t *testing.T) {
			l.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, p *proxy) {
				waiting := append(hanging(t, theirs, ours), hanging(t, ours, theirs)...)
				p.Freeze()
				var sends end = theirs
				if weSend {
					sends = ours
				}
				for range 3 {
					run(t, sends, "forget", script{Data: data})
				}
				p.Cut()
				wantFailed(t, waiting)
				wantOver(t, theirs, ours)
			})
		})
	}
}

// A client wants to resume and the server can't: either says UNSUPPORTED_SETUP.
func TestResumeRefused(t *testing.T) {
	t.Run("by us", func(t *testing.T) {
		l := link{theirs: resumable.theirs}
		theirs := l.connect(t, cut.New(t, l.serve(t, nil)))
		wantFailed(t, []*pending{theirs.start("response", script{Data: "anybody?"})})
		theirs.seen(t, "closed", 1)
	})
	t.Run("by them", func(t *testing.T) {
		ours, _, _ := link{ours: resumable.ours}.dial(t)
		wantClosed(t, ours, "0x2 resume not supported")
	})
}

func wantFailed(t *testing.T, waiting []*pending) {
	t.Helper()
	for _, w := range waiting {
		if a := w.wait(t); a.End != "error" {
			t.Errorf("a request on a connection that is lost: %s", a)
		}
	}
}

func wantRejected(t *testing.T, ours *ourEnd) {
	t.Helper()
	if c := ours.seen(t, "closed", 1)[0]; c.Code != uint32(frame.CodeRejectedResume) {
		t.Errorf("closed: 0x%X %s", c.Code, c.Text)
	}
}
