package js

import (
	"errors"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/cut"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

const (
	interval = 200 * time.Millisecond
	lifetime = 600 * time.Millisecond
)

// lively are terms by which silence is noticed soon, whoever dials.
func lively(o options) (terms, options) {
	return terms{setup: rsocket.Setup{KeepAlive: interval, Lifetime: lifetime}},
		with(o, "setup", options{"keepAlive": interval.Milliseconds(), "lifetime": lifetime.Milliseconds()})
}

// Nobody has anything to say for longer than the lifetime.
func TestIdleConnectionLives(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		t.Parallel()
		how, o := lively(options{"ms": 1000})
		p := theyAsk(t, l, theyDial, how, "idle", o)
		want(t, p.result().Replies, replies(message{Data: "before"}, message{Data: "after"}))
	})
}

// Nothing arrives any more at either end, and no end is told.
func TestSilenceIsNoticed(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		t.Parallel()
		how, o := lively(nil)
		between := cut.New(t, "")
		how.via = between.Before
		p := theyAsk(t, l, theyDial, how, "cut", o)
		all(t, "a request that hangs", p.hung)
		between.Freeze()
		got := p.result()
		for model, outcome := range map[string]reply{"response": got.Response, "stream": got.Stream, "channel": got.Channel} {
			if outcome.Error == nil {
				t.Errorf("their %s did not fail", model)
			}
		}
		all(t, "a handler is told to stop", p.released)
		await.Value(t, "the end", p.conn.Done())
		if e, ok := errors.AsType[*rsocket.Error](p.conn.Err()); !ok || e.Code != frame.CodeConnectionError || e.Remote {
			t.Errorf("got %v, want CONNECTION_ERROR, by ourselves", p.conn.Err())
		}
	})
}
