package java

import (
	"fmt"
	"testing"

	"warmline.dev/protocol/rsocket"
)

// Errors keep their code and text: an application's own, and those without one.
func TestRefusal(t *testing.T) {
	const refused, broke = "error 0x305 who is asking?", "error 0x201 it broke"
	link{}.each(t, func(t *testing.T, asks, answers end, _ *proxy) {
		for _, c := range []struct {
			scenario string
			script   script
			want     string
		}{
			{"response", script{Data: "refuse"}, ": " + refused},
			{"response", script{Data: "refuse 0x301"}, ": error 0x301 who is asking?"},
			{"stream", script{Data: "refuse 0xFFFFFFFE"}, ": error 0xFFFFFFFE who is asking?"},
			{"response", script{Data: "fail"}, ": " + broke},
			{"stream", script{Data: "refuse"}, ": " + refused},
			{"stream", script{Data: "fail"}, ": " + broke},
			{"stream", script{Data: "2 then refuse"}, "item 0, item 1: " + refused},
			{"channel", script{Data: "refuse", Then: "never"}, ": " + refused + "; sending: canceled"},
			{"channel", script{Data: "fail", Then: "never"}, ": " + broke + "; sending: canceled"},
			{"response", script{Data: "still there?"}, "still there?: complete"},
		} {
			want(t, asks, c.scenario, c.script, c.want)
		}
	})
}

// A requester that ends its half of a channel in an error ends the other half
// with it. Our engine's requesters cancel instead.
func TestRequesterFails(t *testing.T) {
	link{}.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, _ *proxy) {
		want(t, theirs, "channel", script{Data: "collect", Send: 2, Then: "fail"}, ": error 0x305 I give up; sending: error")
		if e := ours.seen(t, "broken", 1)[0]; e.Code != 0x305 || e.Text != "I give up" {
			t.Errorf("our handler was told 0x%X %q", e.Code, e.Text)
		}
	})
}

// A model that is not served: ours says REJECTED, theirs APPLICATION_ERROR. What
// has no answer is dropped, and the connection goes on.
func TestUnserved(t *testing.T) {
	l := link{
		theirs:  options{Unserved: true},
		handler: func(*witness) rsocket.Handler { return rsocket.Handler{} },
	}
	l.each(t, func(t *testing.T, asks, answers end, _ *proxy) {
		run(t, asks, "forget", script{Data: "a"})
		run(t, asks, "push", script{Metadata: about("it")})
		for scenario, said := range map[string]string{
			"response": "Request-Response not implemented.",
			"stream":   "Request-Stream not implemented.",
			"channel":  "Request-Channel not implemented.",
		} {
			want := fmt.Sprint("error 0x201 ", said)
			a := run(t, asks, scenario, script{Data: "a"})
			if _, ok := answers.(*ourEnd); ok {
				want = "error 0x202 " + a.Text // whatever the text
			}
			if got := fmt.Sprintf("%s 0x%X %s", a.End, a.Code, a.Text); got != want {
				t.Errorf("%s: got %s, want %s", scenario, got, want)
			}
		}
	})
}
