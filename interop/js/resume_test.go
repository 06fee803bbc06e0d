package js

import (
	"fmt"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/cut"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// resumable are terms by which a lost connection is resumed, through a proxy that can cut it.
func resumable(t *testing.T, l *library, theyDial bool) (terms, *cut.Proxy) {
	between := cut.New(t, "")
	how := terms{ours: rsocket.Config{ResumeFor: 10 * time.Second}, via: between.Before}
	if theyDial {
		how.theirs = options{"resume": "the token of " + t.Name()}
	} else {
		how.theirs = options{"resume": 10_000}
	}
	return how, between
}

// resumes are the ways in which the libraries resume: 0.0.27 only as a client.
func resumes(t *testing.T, test func(t *testing.T, l *library, theyDial bool)) {
	t.Run("0.0.27, they dial", func(t *testing.T) { test(t, v0, true) })
	t.Run("1.0.0-alpha.3, we dial", func(t *testing.T) { test(t, alpha3, false) })
	t.Run("1.0.0-alpha.3, they dial", func(t *testing.T) { test(t, alpha3, true) })
}

// again cuts the connection and waits until the client is back.
func again(t *testing.T, between *cut.Proxy) {
	t.Helper()
	between.Cut()
	between.Answered(t)
}

// A stream that we answer is cut half way, while nothing is on its way.
func TestTheirStreamGoesOn(t *testing.T) {
	resumes(t, func(t *testing.T, l *library, theyDial bool) {
		how, between := resumable(t, l, theyDial)
		p := theyAsk(t, l, theyDial, how, "stream", options{"request": wire(message{Data: "halves 200"})[0], "credit": []int{1000}})
		want(t, await.Value(t, "the half", p.hung), "stream")
		again(t, between)
		close(p.gate)
		want(t, p.result(), result{Items: counted(200, ""), End: "complete"})
	})
}

// A stream that they answer is cut while its items come.
func TestOurStreamGoesOn(t *testing.T) {
	const items = 2000
	resumes(t, func(t *testing.T, l *library, theyDial bool) {
		how, between := resumable(t, l, theyDial)
		p := weAsk(t, l, theyDial, how)
		ch := p.stream(message{Data: fmt.Sprint("count ", items)})
		for i := range items {
			got, err := ch.Recv(await.Context(t))
			if err != nil {
				t.Fatal(err)
			}
			want(t, told(got), message{Data: fmt.Sprint(i)})
			if i%500 == 250 {
				again(t, between)
			}
		}
		want(t, p.rest(ch), nil)
		p.answers()
	})
}

// A channel is cut while its items go to and fro.
func TestOurChannelGoesOn(t *testing.T) {
	const items = 1000
	resumes(t, func(t *testing.T, l *library, theyDial bool) {
		how, between := resumable(t, l, theyDial)
		p := weAsk(t, l, theyDial, how)
		all := numbered("first", items)
		ch := p.open(all[0])
		sent := send(ch, all[1:]...)
		for i, m := range all {
			got, err := ch.Recv(await.Context(t))
			if err != nil {
				t.Fatal(err)
			}
			want(t, told(got), m)
			if i%300 == 150 {
				between.Cut()
			}
		}
		want(t, p.rest(ch), nil)
		want(t, await.Value(t, "all is sent", sent), nil)
		p.answers()
		if between.Times() == 1 {
			t.Error("the connection was never resumed")
		}
	})
}

// A request waits for its answer while the connection is cut, and one is made while there is none.
func TestOurRequestIsAnswered(t *testing.T) {
	resumes(t, func(t *testing.T, l *library, theyDial bool) {
		how, between := resumable(t, l, theyDial)
		p := weAsk(t, l, theyDial, how)
		p.quiet() // before SETUP has arrived there is nothing to resume
		for i := range 20 {
			between.Cut()
			m := message{Data: fmt.Sprint("request ", i)}
			reply, err := p.conn.Call(await.Context(t), m.payload())
			if err != nil {
				t.Fatal(err)
			}
			want(t, told(reply), m)
		}
	})
}

func TestTheirRequestIsAnswered(t *testing.T) {
	resumes(t, func(t *testing.T, l *library, theyDial bool) {
		how, between := resumable(t, l, theyDial)
		p := theyAsk(t, l, theyDial, how, "responses", options{"requests": wire(message{Data: "gate"}, message{Data: "and this"})})
		want(t, await.Value(t, "the request", p.hung), "gate")
		again(t, between)
		close(p.gate)
		want(t, p.result().Replies, replies(message{Data: "gate"}, message{Data: "and this"}))
	})
}

// 0.0.27 takes RESUME for an offer, but its server keeps nothing to resume.
func TestTheyDoNotResume(t *testing.T) {
	how, between := resumable(t, v0, false)
	how.theirs = nil
	p := weAsk(t, v0, false, how)
	outcomes := p.hanging()
	between.Cut()
	p.broken(outcomes)
	await.Value(t, "the end", p.conn.Done())
	want(t, remote(p.conn.Err()), failure{uint32(frame.CodeRejectedResume), "RSocketServer: RESUME not supported."})
}

// They come back when our server has given them up.
func TestTheyComeBackTooLate(t *testing.T) {
	for _, l := range libraries {
		t.Run(l.name, func(t *testing.T) {
			how, between := resumable(t, l, true)
			how.ours.ResumeFor = time.Millisecond
			p := theyAsk(t, l, true, how, "cut", nil)
			all(t, "a request that hangs", p.hung)
			between.Cut()
			got := p.result()
			for model, outcome := range map[string]reply{"response": got.Response, "stream": got.Stream, "channel": got.Channel} {
				if outcome.Error == nil {
					t.Errorf("their %s did not fail", model)
				}
			}
			all(t, "a handler is told to stop", p.released)
			p.gone()
		})
	}
}

// A connection that was resumed lives as long as one that was not.
func TestIdleResumedConnectionLives(t *testing.T) {
	resumes(t, func(t *testing.T, l *library, theyDial bool) {
		t.Parallel()
		how, between := resumable(t, l, theyDial)
		alive, o := lively(options{"ms": 1000})
		how.setup = alive.setup
		p := theyAsk(t, l, theyDial, how, "idle", o)
		if !theyDial {
			p.saw("setup") // before SETUP has arrived there is nothing to resume
		}
		again(t, between)
		want(t, p.result().Replies, replies(message{Data: "before"}, message{Data: "after"}))
	})
}

// Our server does not resume.
func TestWeDoNotResume(t *testing.T) {
	for _, l := range libraries {
		t.Run(l.name, func(t *testing.T) {
			how, _ := resumable(t, l, true)
			how.ours.ResumeFor, how.via = 0, nil
			address := serve(t, how, func(*rsocket.Conn) (rsocket.Handler, error) { return rsocket.Handler{}, nil })
			p := &pair{t: t, program: runClient(t, l, how, address, "closed", nil)}
			want(t, p.result().Closed, &failure{uint32(frame.CodeUnsupportedSetup), "resumption is not supported"})
		})
	}
}
