package edgelayer_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/internal/wildcard"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

var canceled = context.Canceled

func TestACancelledCallEndsAndIsNotAnswered(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		g, gates := newGate(t)
		// One place: the next call is admitted only when the cancelled one is through.
		e := start(t, edgelayer.Config{Services: []edgelayer.Service{gates, echo()}, MaxCalls: 1})
		c := e.dialIn(codec, "").converse(`[1,1,"gate.wait",{"n":1}]`)
		g.wantEntered(t, 1)
		c.say(`[2,1]`)
		g.wantEnded(t, 1, canceled)
		c.askUntilAdmitted()
		if err := c.ch.CloseSend(); err != nil {
			t.Fatal(err)
		}
		c.want("COMPLETE") // which comes behind every answer
	})
}

func TestACancelledCallKeepsItsPlaceUntilItsMethodHasReturned(t *testing.T) {
	g, gates := newGate(t)
	e := start(t, edgelayer.Config{Services: []edgelayer.Service{gates, echo()}, MaxCalls: 1})
	c := e.dial("").converse(`[1,1,"gate.hold",{"n":1}]`)
	g.wantEntered(t, 1)
	c.say(`[2,1]`)
	c.say(`[1,2,"echo.say",{}]`)
	c.want(`[4,2,"overloaded","1 calls of this conversation are running already",true]`)
	g.letGo(1)
	c.askUntilAdmitted()
}

// askUntilAdmitted asks echo.say with ids from 100 until it is answered, and
// wants to hear of nothing else.
func (c *conversation) askUntilAdmitted() {
	c.l.t.Helper()
	id := 100
	await.Until(c.l.t, "a call to be admitted", func() bool {
		id++
		c.say(`[1,` + strconv.Itoa(id) + `,"echo.say",{"text":"in"}]`)
		got := strings.Join(c.hear(), " ")
		if got != `[3,`+strconv.Itoa(id)+`,{"text":"in"}]` && !wildcard.Match(got, `[4,`+strconv.Itoa(id)+`,"overloaded",…`) {
			c.l.t.Fatalf("heard %s", got)
		}
		return strings.HasPrefix(got, "[3,")
	})
}

func TestCancellingWhatHasEndedOrNeverWasDoesNothing(t *testing.T) {
	c := offering(t, echo()).dial("").converse(`[1,1,"echo.say",{"text":"one"}]`)
	c.want(`[3,1,{"text":"one"}]`)
	c.say(`[2,1]`, `[2,9]`, `[1,2,"echo.say",{"text":"two"}]`)
	c.want(`[3,2,{"text":"two"}]`)
}

func TestMethodsEndWhenTheAdapterGivesTheConversationUp(t *testing.T) {
	g, gates := newGate(t)
	e := offering(t, gates, echo())
	l := e.dial("")
	c := l.converse(`[1,1,"gate.wait",{"n":1}]`, `[1,2,"gate.wait",{"n":2}]`)
	other := l.converse(`[1,1,"gate.wait",{"n":3}]`)
	g.wantEntered(t, 3)
	c.ch.Cancel()
	g.wantEnded(t, 2, canceled)
	await.Until(t, "the conversation to be gone", func() bool { return e.Stats().Conversations == 1 })
	g.letGo(3)
	other.want(`[3,1,{"n":3}]`)
}

func TestASingleCallEndsWhenTheAdapterGivesItUp(t *testing.T) {
	g, gates := newGate(t)
	l := offering(t, gates).dial("")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	md := protocol.Metadata{Route: "gate.wait"}
	go func() {
		_, err := l.conn.Call(ctx, rsocket.Payload{Metadata: md.Append(nil), Data: l.encode(`{"n":1}`)})
		done <- err
	}()
	g.wantEntered(t, 1)
	cancel()
	g.wantEnded(t, 1, canceled)
	<-done
}

func TestMethodsEndWhenTheLineIsLost(t *testing.T) {
	g, gates := newGate(t)
	e := offering(t, gates)
	l := e.dial("")
	l.converse(`[1,1,"gate.wait",{"n":1}]`)
	l.converse(`[1,1,"gate.wait",{"n":2}]`)
	g.wantEntered(t, 2)
	_ = l.conn.Close()
	g.wantEnded(t, 2, canceled)
	await.Until(t, "line and conversations to be gone", func() bool {
		st := e.Stats()
		return st.Conversations == 0 && st.Lines == 0
	})
}

func TestWhatWasAskedIsAnsweredAfterTheAdapterHasCompleted(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		g, gates := newGate(t)
		c := offering(t, gates).dialIn(codec, "").converse(`[1,1,"gate.wait",{"n":1}]`, `[1,2,"gate.wait",{"n":2}]`)
		g.wantEntered(t, 2)
		if err := c.ch.CloseSend(); err != nil {
			t.Fatal(err)
		}
		g.letGo(2)
		c.want(`[3,2,{"n":2}]`)
		g.letGo(1)
		c.want(`[3,1,{"n":1}]`)
		c.want("COMPLETE")
	})
}

func TestAnAdapterThatHasCompletedCanStillGiveUp(t *testing.T) {
	g, gates := newGate(t)
	c := offering(t, gates).dial("").converse(`[1,1,"gate.wait",{"n":1}]`)
	g.wantEntered(t, 1)
	if err := c.ch.CloseSend(); err != nil {
		t.Fatal(err)
	}
	c.ch.Cancel()
	g.wantEnded(t, 1, canceled)
}
