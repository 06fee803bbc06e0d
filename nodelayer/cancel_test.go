package nodelayer_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/protocol"
)

var canceled = protocol.Error{Code: protocol.Canceled, Message: "context canceled"}

func TestACallWhoseContextEndsIsCancelledAlone(t *testing.T) {
	g, gates := newGate()
	c := converse(t, dial(t, serve(t, gates).addr))
	ctx, cancel := context.WithCancel(context.Background())
	given := later(func() error { return errOf(call[int](ctx, c, "gate.wait", number{1})) })
	kept := later(func() error { return errOf(call[int](context.Background(), c, "gate.wait", number{2})) })
	g.wantEntered(t, 2)
	cancel()
	err := await.Value(t, "the cancelled call", given)
	want(t, err, canceled)
	wantIs(t, err, context.Canceled)
	g.wantEnded(t, 1)
	g.letGo(2)
	if err := await.Value(t, "the other call", kept); err != nil {
		t.Error(err)
	}
	if len(g.ended) > 0 {
		t.Error("the other call's context ended too")
	}
}

func TestACallsOwnDeadline(t *testing.T) {
	g, gates := newGate()
	c := converse(t, dial(t, serve(t, gates).addr))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	want(t, errOf(call[int](ctx, c, "gate.wait", number{1})), protocol.Error{Code: protocol.DeadlineExceeded, Message: "context deadline exceeded"})
	if len(g.entered) > 0 {
		g.wantEnded(t, 1)
	}
	g.letGo(2)
	if got, err := call[int](context.Background(), c, "gate.wait", number{2}); got != 2 || err != nil {
		t.Errorf("the next call: %d, %v", got, err)
	}
}

func TestASingleCallWhoseContextEnds(t *testing.T) {
	g, gates := newGate()
	e := dial(t, serve(t, gates).addr)
	ctx, cancel := context.WithCancel(context.Background())
	given := later(func() error { return errOf(askInt(ctx, e, "gate.wait", number{1})) })
	g.wantEntered(t, 1)
	cancel()
	want(t, await.Value(t, "the cancelled call", given), canceled)
	g.wantEnded(t, 1)
}

func TestAConversationEndsWithItsContext(t *testing.T) {
	g, gates := newGate()
	e := serve(t, gates)
	ctx, cancel := context.WithCancel(context.Background())
	c := converseIn(t, ctx, dial(t, e.addr))
	var calls []<-chan error
	for n := 1; n <= 3; n++ {
		calls = append(calls, later(func() error { return errOf(call[int](context.Background(), c, "gate.wait", number{n})) }))
	}
	g.wantEntered(t, 3)
	cancel()
	for _, done := range calls {
		want(t, await.Value(t, "a call", done), canceled)
	}
	g.wantEnded(t, 1, 2, 3)
	want(t, errOf(call[int](context.Background(), c, "gate.wait", number{4})), canceled)
	await.Until(t, "the edge to be through with the conversation", func() bool { return e.Stats().Conversations == 0 })
	if len(g.entered) > 0 {
		t.Error("a call was made after the end")
	}
}

func TestTheDeadlineOfAConversation(t *testing.T) {
	_, gates := newGate()
	e := serve(t, gates)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	c := converseIn(t, ctx, dial(t, e.addr))
	err := errOf(call[int](context.Background(), c, "gate.wait", number{1}))
	if e := protocol.AsError(err); e == nil || e.Code != protocol.DeadlineExceeded { // either side may see it first
		t.Errorf("got %v", err)
	}
	await.Until(t, "the edge to be through with the conversation", func() bool { return e.Stats().Conversations == 0 })
}

func TestACallWithAContextThatHasEndedSendsNothing(t *testing.T) {
	b, firsts := parrot(t)
	e := dial(t, b.addr)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	c := converse(t, e)
	want(t, errOf(call[int](ended, c, "a.b", 1)), canceled)
	want(t, errOf(call[int](context.Background(), converseIn(t, ended, e), "a.b", 1)), canceled)
	want(t, errOf(askInt(ended, e, "a.b", 1)), canceled)
	if n := len(firsts); n != 0 {
		t.Errorf("%d channels were opened", n)
	}
	if got, err := call[int](context.Background(), c, "a.b", 5); got != 5 || err != nil { // the conversation is unharmed
		t.Errorf("got %d, %v", got, err)
	}
}

func TestClose(t *testing.T) {
	closed := protocol.Error{Code: protocol.Canceled, Message: "the conversation is closed"}
	g, gates := newGate()
	e := serve(t, gates)
	line := dial(t, e.addr)
	c := converse(t, line)
	waiting := later(func() error { return errOf(call[int](context.Background(), c, "gate.wait", number{1})) })
	g.wantEntered(t, 1)
	c.Close()
	want(t, await.Value(t, "the call that waits", waiting), closed)
	g.wantEnded(t, 1)
	c.Close()
	want(t, errOf(call[int](context.Background(), c, "gate.wait", number{2})), closed)
	await.Until(t, "the edge to be through with the conversation", func() bool { return e.Stats().Conversations == 0 })

	unused := converse(t, line)
	unused.Close()
	unused.Close()
	want(t, errOf(call[int](context.Background(), unused, "gate.wait", number{3})), closed)
	if len(g.entered) > 0 {
		t.Error("a call was made after Close")
	}
}

func TestCloseWhileManyCall(t *testing.T) {
	line := dial(t, serve(t, films("2.1.3")).addr)
	for range 20 {
		c := line.Converse(context.Background())
		begun := make(chan struct{}, 1)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					_, err := call[string](context.Background(), c, "films.version", nil)
					if err != nil {
						if protocol.AsError(err).Code != protocol.Canceled {
							t.Errorf("got %v", err)
						}
						return
					}
					select {
					case begun <- struct{}{}:
					default:
					}
				}
			})
		}
		await.Value(t, "a call to be answered", begun)
		c.Close()
		wg.Wait()
	}
}
