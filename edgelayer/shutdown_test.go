package edgelayer_test

import (
	"context"
	"errors"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/wildcard"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

func TestShutdownWaitsForWhatIsUnderWayAndTakesNothingNew(t *testing.T) {
	g, gates := newGate(t)
	e := offering(t, gates, echo())
	l := e.dial("")
	c := l.converse(`[1,1,"gate.wait",{"n":1}]`)
	g.wantEntered(t, 1)

	done := make(chan error, 1)
	go func() { done <- e.Shutdown(await.Context(t)) }()
	await.Until(t, "the line to take nothing new", func() bool {
		_, err := l.conn.Call(await.Context(t), rsocket.Payload{Metadata: route("echo.say")})
		return errors.Is(err, rsocket.ErrDraining) || err != nil && protocol.AsError(err).Code == protocol.Overloaded
	})
	if _, err := l.conn.OpenChannel(await.Context(t), rsocket.Payload{Metadata: route(protocol.RouteConversation)}); err == nil {
		t.Error("a new conversation could be opened")
	}
	if conn, err := rsocket.Dial(await.Context(t), e.addr, rsocket.Setup{}, rsocket.Handler{}, rsocket.Config{}); err == nil {
		_ = conn.Close()
		t.Error("a new line could be opened")
	}
	select {
	case err := <-done:
		t.Fatalf("Shutdown returned %v while a call was under way", err)
	default:
	}

	c.say(`[1,2,"echo.say",{"text":"a conversation goes on to its end"}]`)
	c.want(`[3,2,{"text":"a conversation goes on to its end"}]`)
	g.letGo(1)
	c.want(`[3,1,{"n":1}]`)
	if err := c.ch.CloseSend(); err != nil {
		t.Fatal(err)
	}
	c.want("COMPLETE")
	if err := await.Value(t, "Shutdown to return", done); err != nil {
		t.Errorf("Shutdown returned %v", err)
	}
}

func TestShutdownCutsOffWhatIsNotDoneInTime(t *testing.T) {
	g, gates := newGate(t)
	e := offering(t, gates)
	c := e.dial("").converse(`[1,1,"gate.wait",{"n":1}]`)
	g.wantEntered(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown returned %v", err)
	}
	g.wantEnded(t, 1, canceled)
	if got := c.hear(); !wildcard.Match(got[0], "LOST …") {
		t.Errorf("the conversation heard %s", got)
	}
}

func TestCloseMayBeCalledTwice(t *testing.T) {
	e := offering(t, echo())
	for range 2 {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}
