package nodelayer_test

import (
	"context"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/internal/logged"
	"warmline.dev/nodelayer"
	"warmline.dev/protocol"
)

func TestAnEdgeThatDiesInMidCall(t *testing.T) {
	g, gates := newGate()
	e := serve(t, gates)
	line := dial(t, e.addr)
	c := converse(t, line)
	calls := []<-chan error{
		later(func() error { return errOf(call[int](context.Background(), c, "gate.wait", number{1})) }),
		later(func() error { return errOf(call[int](context.Background(), c, "gate.wait", number{2})) }),
		later(func() error { return errOf(askInt(context.Background(), line, "gate.wait", number{3})) }),
	}
	g.wantEntered(t, 3)
	_ = e.Close()
	for _, done := range calls { // it may have been carried out, so asking again is not safe
		want(t, await.Value(t, "a call", done), protocol.Error{Code: protocol.Uncertain, Message: "the line was lost: rsocket: …; gate.wait may have been carried out"})
	}
	want(t, errOf(call[int](context.Background(), c, "gate.wait", number{4})), protocol.Error{Code: protocol.Unavailable, Message: "no line to the edge at …", Retry: true})
}

func TestWhileTheEdgeIsDownCallsFailAtOnceAndThenItIsBack(t *testing.T) {
	e := serve(t, films("2.1.3"))
	line := dialWith(t, nodelayer.Config{Edges: []string{e.addr}, Wants: map[string]string{"films": "^2"}})
	_ = e.Close()
	await.Until(t, "the line to be lost", func() bool { return line.Resolved() == nil })
	inBothWays(t, line, func(t *testing.T, ask asking[string]) {
		want(t, errOf(ask(context.Background(), "films.version", nil)),
			protocol.Error{Code: protocol.Unavailable, Message: "no line to the edge at " + e.addr, Retry: true})
	})
	begun := converse(t, line)
	want(t, errOf(call[string](context.Background(), begun, "films.version", nil)),
		protocol.Error{Code: protocol.Unavailable, Message: "no line to the edge at …", Retry: true})

	serveAt(t, e.addr, edgelayer.Config{Services: []edgelayer.Service{films("2.2.0")}})
	await.Until(t, "the line to be back", func() bool { return line.Resolved() != nil })
	inBothWays(t, line, func(t *testing.T, ask asking[string]) {
		if got, err := ask(context.Background(), "films.version", nil); got != "2.2.0" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	})
	if got, err := call[string](context.Background(), begun, "films.version", nil); got != "2.2.0" || err != nil {
		t.Errorf("in a conversation that nothing was sent in yet: got %q, %v", got, err)
	}
}

func TestAnEdgeThatShutsDownFinishesAndIsSafeToAskAgain(t *testing.T) {
	g, gates := newGate()
	e := serve(t, gates)
	line := dial(t, e.addr)
	c := converse(t, line)
	under := later(func() error { return errOf(call[int](context.Background(), c, "gate.wait", number{1})) })
	g.wantEntered(t, 1)
	down := later(func() error { return e.Shutdown(await.Context(t)) })
	await.Until(t, "new calls to be refused", func() bool {
		err := protocol.AsError(errOf(askInt(context.Background(), line, "gate.nothing", nil)))
		if !err.Retry && err.Code != protocol.UnknownMethod {
			t.Fatalf("got %#v", err)
		}
		return err.Code == protocol.Unavailable
	})
	want(t, errOf(call[int](context.Background(), converse(t, line), "gate.wait", number{2})),
		protocol.Error{Code: protocol.Unavailable, Message: "no line to the edge at …", Retry: true})
	g.letGo(1)
	if err := await.Value(t, "the call under way", under); err != nil {
		t.Error(err)
	}
	c.Close()
	if err := await.Value(t, "the edge", down); err != nil {
		t.Error(err)
	}
}

func TestAnIdleConversationOutlivesItsLine(t *testing.T) {
	e := serve(t, films("2.1.3"))
	log := &logged.Log{}
	line := dialWith(t, nodelayer.Config{Edges: []string{e.addr}, Log: zerolog.New(log)})
	c := converse(t, line)
	if _, err := call[string](t.Context(), c, "films.version", nil); err != nil {
		t.Fatal(err)
	}
	_ = e.Close()
	// Not only closing, which conversations under way are not concerned by.
	await.Until(t, "the line to be lost", func() bool { return strings.Contains(log.String(), "line lost") })
	want(t, errOf(call[string](t.Context(), c, "films.version", nil)), protocol.Error{Code: protocol.Unavailable, Message: "no line to the edge at …", Retry: true})
	serveAt(t, e.addr, edgelayer.Config{Services: []edgelayer.Service{films("2.2.0")}})
	await.Until(t, "the line to be back", func() bool { return line.Lines() == 1 })
	if got, err := call[string](t.Context(), c, "films.version", nil); got != "2.2.0" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
