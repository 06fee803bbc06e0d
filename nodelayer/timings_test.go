package nodelayer_test

import (
	"context"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/nodelayer"
	"warmline.dev/protocol"
)

func TestTimingsNoteTheCallsOfAConversationInTheOrderOfTheirEnds(t *testing.T) {
	g, gates := newGate()
	e := dial(t, serve(t, gates, films("2.1.3")).addr)
	var timings nodelayer.Timings
	c := converseIn(t, nodelayer.WithTimings(t.Context(), &timings), e)
	slow := later(func() error { return errOf(call[int](context.Background(), c, "gate.wait", number{1})) })
	g.wantEntered(t, 1)
	_, _ = call[film](t.Context(), c, "films.echo", nil)
	_, _ = call[film](t.Context(), c, "films.missing", nil)
	_, _ = call[int](t.Context(), c, "films.version", nil) // does not fit: not the call's fault
	g.letGo(1)
	if err := await.Value(t, "the slow call", slow); err != nil {
		t.Fatal(err)
	}
	other := converse(t, e) // has no Timings
	_, _ = call[film](t.Context(), other, "films.echo", nil)
	want := []protocol.Timing{{Method: "films.echo"}, {Method: "films.missing", Code: "not_found"}, {Method: "films.version"}, {Method: "gate.wait"}}
	got := timings.Calls()
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i := range want {
		if got[i].Micros < 0 {
			t.Errorf("%s took %d µs", got[i].Method, got[i].Micros)
		}
		if got[i].Micros = 0; got[i] != want[i] {
			t.Errorf("call %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestTimingsHoldAHundredCalls(t *testing.T) {
	var timings nodelayer.Timings
	if n := len(timings.Calls()); n != 0 {
		t.Fatalf("the zero value holds %d", n)
	}
	c := converseIn(t, nodelayer.WithTimings(t.Context(), &timings), dial(t, serve(t, films("2.1.3")).addr))
	for range 103 {
		if _, err := call[string](t.Context(), c, "films.version", nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(timings.Calls()); n != 100 {
		t.Errorf("%d calls are noted, want 100", n)
	}
}

func TestTimingsNoteWhatConversationsCameTo(t *testing.T) {
	first, second, _ := twins(t)
	var timings nodelayer.Timings
	e := dialWith(t, nodelayer.Config{Edges: []string{first.addr, second.addr}})
	c := e.Converse(nodelayer.WithTimings(t.Context(), &timings))
	quick := c.Start("twins.quick", nil)
	ids := map[string]any{"ids": []any{quick.Ref("items", 0, "id"), quick.Ref("items", 0, "id")}}
	for _, p := range []*nodelayer.Pending{c.Start("twins.titles", ids), c.Start("twins.quick", nil)} {
		if _, err := nodelayer.Await[any](t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(timings.Conversations()); n != 0 {
		t.Errorf("%d conversations are noted before they are closed", n)
	}
	c.Close()
	c.Close()
	e.Converse(nodelayer.WithTimings(t.Context(), &timings)).Close() // asked nothing
	if got := timings.Conversations(); len(got) != 1 || got[0] != (protocol.Figures{Calls: 3, References: 2, ViewHits: 1}) {
		t.Errorf("got %+v", got)
	}
}
