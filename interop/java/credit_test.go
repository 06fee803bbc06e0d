package java

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
)

// window is the credit that our end gives in these tests.
const window = 8

// rsocket-java asks for items bit by bit: no more than that are sent, and its
// requester would fail if they were.
func TestTheyGrant(t *testing.T) {
	link{}.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, _ *proxy) {
		want(t, theirs, "stream", script{Data: "10", Credit: []int{3}}, items("item", 0, 3)+": canceled")
		stays(t, "what we send", 3, func() int { return ours.sent(t) })
		for _, c := range []struct {
			scenario string
			script   script
			want     string
		}{
			{"stream", script{Data: "10", Credit: []int{3, 4, 3}}, items("item", 0, 10) + ": complete"},
			{"channel", script{Data: "a", Send: 9, Credit: []int{3, 4, 3}}, "a, " + items("a", 1, 9) + ": complete; sending: complete"},
			{"stream", script{Data: "1000", Credit: []int{1000}}, items("item", 0, 1000) + ": complete"},
		} {
			a := run(t, theirs, c.scenario, c.script)
			if a.String() != c.want {
				t.Errorf("got %s\nwant %s", a, c.want)
			}
			if steps := c.script.Credit; len(steps) > 1 && !slices.Equal(a.Counts[:2], []int{3, 7}) {
				t.Errorf("with a credit of 3 and then 4 there were %v items, want 3 and 7", a.Counts)
			}
		}
	})
}

// Our requester takes nothing: rsocket-java sends what it was granted.
func TestWeGrant(t *testing.T) {
	link{ours: rsocket.Config{Window: window}}.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, _ *proxy) {
		ch, err := ours.conn.OpenStream(t.Context(), payload(message{Data: "100"}))
		if err != nil {
			t.Fatal(err)
		}
		stays(t, "what rsocket-java sends", window, func() int { return theirs.sent(t) })
		if got, want := take(t.Context(), ch, 0).String(), items("item", 0, 100)+": complete"; got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	})
}

// A responder that takes nothing behind the first item stops the requester.
func TestResponderHoldsBack(t *testing.T) {
	link{ours: rsocket.Config{Window: window}}.each(t, func(t *testing.T, asks, answers end, _ *proxy) {
		before := asks.sent(t)
		granted := window
		if _, ok := answers.(*javaEnd); ok {
			granted = 0 // its handler asked for the first item and has not come back
		}
		channel := asks.start("channel", script{Data: "gate", Send: 100})
		stays(t, "what the requester sends", before+1+granted, func() int { return asks.sent(t) })
		answers.openGate(t)
		if got, want := channel.wait(t).String(), "gate, "+items("gate", 1, 100)+": complete; sending: complete"; got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	})
}

// stays fails the test if value leaves what it has come to. That takes a moment
// to show: too short a one can miss a fault, and never reports one that is none.
func stays(t *testing.T, what string, want int, value func() int) {
	t.Helper()
	await.Until(t, fmt.Sprint(what, " comes to ", want), func() bool { return value() >= want })
	time.Sleep(20 * time.Millisecond)
	if got := value(); got != want {
		t.Errorf("%s came to %d, want %d", what, got, want)
	}
}
