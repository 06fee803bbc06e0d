package java

import (
	"strings"
	"testing"
)

// Every model, each way. What is asked for is echoed but for the words that
// Responder.java lists.
func TestModels(t *testing.T) {
	link{}.each(t, func(t *testing.T, asks, answers end, _ *proxy) { testModels(t, asks, answers) })
}

func testModels(t *testing.T, asks, answers end) {
	t.Helper()
	for _, c := range []struct {
		scenario string
		script   script
		want     string
	}{
		{"response", script{Data: "hello"}, "hello: complete"},
		{"response", script{Data: ""}, ": complete"},
		{"response", script{Data: "nothing"}, ": complete"}, // rsocket-java completes without a payload
		{"response", script{Data: "hello", Metadata: about("it")}, "hello+it: complete"},
		{"response", script{Data: "", Metadata: about("it")}, "+it: complete"},
		{"response", script{Data: "hello", Metadata: about(empty)}, "hello+<empty>: complete"},

		{"stream", script{Data: "0"}, ": complete"},
		{"stream", script{Data: "3"}, "item 0, item 1, item 2: complete"},
		{"stream", script{Data: "2", Metadata: about("it")}, "item 0+it 0, item 1+it 1: complete"},
		{"stream", script{Data: ""}, ": complete"},
		{"stream", script{Data: "500"}, items("item", 0, 500) + ": complete"},
		{"stream", script{Data: "500", Take: 2}, "item 0, item 1: canceled"},

		{"channel", script{Data: "a"}, "a: complete; sending: complete"},
		{"channel", script{Data: "a", Send: 2}, "a, a 1, a 2: complete; sending: complete"},
		{"channel", script{Data: "a", Metadata: about("it"), Send: 1}, "a+it, a 1+it 1: complete; sending: complete"},
		{"channel", script{Data: "a", Send: 500}, "a, " + items("a", 1, 500) + ": complete; sending: complete"},
		{"channel", script{Data: "a", Send: 500, Then: "never", Take: 2}, "a, a 1: canceled; sending: canceled"},
		// The requester's half ends first, and then the responder's begins.
		{"channel", script{Data: "collect", Send: 2}, "collect, collect 1, collect 2: complete; sending: complete"},
		// The responder's half ends first, and then the requester's goes on.
		{"channel", script{Data: "bye", Send: 2, SendAtEnd: true}, "bye: complete; sending: complete"},
		// The responder wants no more, and says something else.
		{"channel", script{Data: "enough", Send: 5, Then: "never"}, "more 1, more 2, more 3: complete; sending: canceled"},

		{"forget", script{Data: "hello"}, ": complete"},
		{"forget", script{Data: "", Metadata: about("it")}, ": complete"},
		{"push", script{Metadata: about("it")}, ": complete"},
	} {
		want(t, asks, c.scenario, c.script, c.want)
	}
	wantEvents(t, answers, "took", "took bye", "took bye 1", "took bye 2")
	wantEvents(t, answers, "complete", "complete")
	wantEvents(t, answers, "forgotten", "forgotten hello", "forgotten +it")
	wantEvents(t, answers, "pushed", "pushed +it")
	want(t, asks, "response", script{Data: "still there?"}, "still there?: complete")
}

// wantEvents waits for all events of a kind.
func wantEvents(t *testing.T, e end, what string, all ...string) {
	t.Helper()
	if got, want := lines(e.seen(t, what, len(all))), strings.Join(all, "\n")+"\n"; got != want {
		t.Errorf("what came of %q:\n got %swant %s", what, got, want)
	}
}
