package js

import (
	"errors"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

var broke = failure{uint32(frame.CodeApplication), "it broke"}

func TestTheySeeOurErrors(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		got := theyAsk(t, l, theyDial, terms{}, "responses", options{
			"requests": wire(message{Data: "refuse"}, message{Data: "break"}, message{Data: "and this?"}),
		}).result()
		want(t, got.Replies, []reply{{Error: &refusal}, {Error: &broke}, {message: message{Data: "and this?"}}})
	})
}

func TestTheySeeOurErrorsOnAChannel(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		got := theyAsk(t, l, theyDial, terms{}, "channel", options{
			"items": wire(message{Data: "refuse"}), "window": window, "open": true,
		}).result()
		want(t, got.Error, &refusal)
	})
}

func TestWeSeeTheirErrors(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, terms{})
		refused := l.sends(refusal)
		for word, f := range map[string]failure{"refuse": refused, "break": broke} {
			_, err := p.conn.Call(t.Context(), message{Data: word}.payload())
			want(t, remote(err), f)
		}
		_, err := p.open(message{Data: "refuse"}).Recv(t.Context())
		want(t, remote(err), refused)
		p.answers()
	})
}

// Their requester ends a channel in an error.
func TestTheyFailAChannel(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := theyAsk(t, l, theyDial, terms{}, "channel", options{
			"items": wire(numbered("first", 5)...), "window": window, "failAfter": 3, "open": true,
		})
		want(t, await.Value(t, "the error", p.failed), l.sends(refusal))
		want(t, p.result().Items, numbered("first", 3))
	})
}

// sends is what arrives of an error of theirs.
func (l *library) sends(f failure) failure {
	if l.noCodes {
		f.Code = uint32(frame.CodeApplication)
	}
	return f
}

// remote is the ERROR frame behind an error; the zero value if there was none.
func remote(err error) failure {
	if e, ok := errors.AsType[*rsocket.Error](err); ok && e.Remote {
		return failure{uint32(e.Code), e.Message}
	}
	return failure{}
}

// Our end serves nothing: REJECTED says that nothing was done.
func TestWeServeNothing(t *testing.T) {
	for _, l := range libraries {
		t.Run(l.name, func(t *testing.T) {
			address := serve(t, terms{}, func(*rsocket.Conn) (rsocket.Handler, error) { return rsocket.Handler{}, nil })
			p := &pair{t: t, program: runClient(t, l, terms{}, address, "responses", options{"requests": wire(message{Data: "anybody?"})})}
			got := p.result().Replies[0].Error
			if got == nil || got.Code != uint32(frame.CodeRejected) || got.Message == "" {
				t.Errorf("got %+v, want REJECTED, and why", got)
			}
		})
	}
}

// Their end serves nothing.
func TestTheyServeNothing(t *testing.T) {
	for l, f := range map[*library]failure{
		alpha3: {uint32(frame.CodeRejected), "No available handler found"},
		v0:     {uint32(frame.CodeApplication), "not implemented"},
	} {
		t.Run(l.name, func(t *testing.T) {
			p := weAsk(t, l, true, terms{theirs: options{"serves": false}})
			_, err := p.conn.Call(t.Context(), rsocket.Payload{})
			want(t, remote(err), f)
			_, err = p.open(message{}).Recv(t.Context())
			want(t, remote(err), f)
		})
	}
}
