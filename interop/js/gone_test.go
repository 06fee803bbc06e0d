package js

import (
	"errors"
	"slices"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/cut"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

var models = []string{"channel", "response", "stream"}

// all takes one of each model.
func all(t *testing.T, what string, c <-chan string) {
	t.Helper()
	var got []string
	for range models {
		got = append(got, await.Value(t, what, c))
	}
	slices.Sort(got)
	want(t, got, models)
}

// ends are how a connection may end under the requests that are under way.
var ends = map[string]func(p *pair, between *cut.Proxy){
	"the connection is cut": func(_ *pair, between *cut.Proxy) { between.Cut() },
	"our end goes away":     func(p *pair, _ *cut.Proxy) { _ = p.conn.Close() },
}

func TestTheyAskWhenItEnds(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			either(t, func(t *testing.T, l *library, theyDial bool) {
				between := cut.New(t, "")
				p := theyAsk(t, l, theyDial, terms{via: between.Before}, "cut", nil)
				all(t, "a request that hangs", p.hung)
				end(p, between)
				got := p.result()
				for model, outcome := range map[string]reply{"response": got.Response, "stream": got.Stream, "channel": got.Channel} {
					if outcome.Error == nil {
						t.Errorf("their %s did not fail", model)
					}
				}
				all(t, "a handler is told to stop", p.released)
				p.gone()
			})
		})
	}
}

func TestWeAskWhenItEnds(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			either(t, func(t *testing.T, l *library, theyDial bool) {
				between := cut.New(t, "")
				p := weAsk(t, l, theyDial, terms{via: between.Before})
				outcomes := p.hanging()
				end(p, between)
				p.broken(outcomes)
				p.closed()
				p.gone()
			})
		})
	}
}

// Their client goes away: its process ends.
func TestTheirProcessEnds(t *testing.T) {
	for _, l := range libraries {
		t.Run(l.name, func(t *testing.T) {
			p := weAsk(t, l, true, terms{})
			outcomes := p.hanging()
			p.program.stop()
			for range models {
				if err := await.Value(t, "the outcome", outcomes); !errors.Is(err, rsocket.ErrClosed) {
					t.Errorf("got %v, want ErrClosed", err)
				}
			}
			p.gone()
		})
	}
}

// We close gracefully, and wait for what is under way: either library closes at once when it is told.
func TestShutdown(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		outcomes := p.hanging()
		if err := p.conn.Shutdown(await.Context(t)); err != nil {
			t.Error(err)
		}
		p.broken(outcomes)
		if why := p.closed(); why.Code != uint32(frame.CodeConnectionClose) && l.tells(theyDial) {
			t.Errorf("they were told %v, want CONNECTION_CLOSE", why)
		}
		p.gone()
	})
}

// tells reports whether a library's user learns why a connection has ended.
func (l *library) tells(theyDial bool) bool { return l != v0 || theyDial }

// hanging has one request of each model under way, and returns what they come to.
func (p *pair) hanging() <-chan error {
	p.t.Helper()
	outcomes := make(chan error, len(models))
	hang := message{Data: "hang"}
	go func() {
		_, err := p.conn.Call(p.t.Context(), hang.payload())
		outcomes <- err
	}()
	for _, ch := range []rsocket.Channel{p.stream(hang), p.open(hang)} {
		go func() {
			_, err := ch.Recv(p.t.Context())
			outcomes <- err
		}()
	}
	for range models {
		p.saw("hang")
	}
	return outcomes
}

// broken wants the requests to have failed, and their handlers to have been told.
func (p *pair) broken(outcomes <-chan error) {
	p.t.Helper()
	for range models {
		if err := await.Value(p.t, "the outcome", outcomes); !errors.Is(err, rsocket.ErrClosed) {
			p.t.Errorf("got %v, want ErrClosed", err)
		}
	}
	for range models {
		p.saw("released")
	}
}

// gone wants our end to know that the connection is over, and to hold nothing of it.
func (p *pair) gone() {
	p.t.Helper()
	await.Value(p.t, "the end", p.conn.Done())
	if err := p.conn.Err(); !errors.Is(err, rsocket.ErrClosed) {
		p.t.Errorf("Err is %v, want ErrClosed", err)
	}
	await.Until(p.t, "nothing is under way", func() bool { return p.conn.InFlight() == 0 })
}
