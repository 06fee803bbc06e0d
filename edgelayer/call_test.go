package edgelayer_test

import (
	"testing"

	"warmline.dev/protocol"
)

func TestSingleCalls(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		l := offering(t, echo()).dialIn(codec, "")
		l.want("echo.say", `{"text":"grüß dich"}`, `{"text":"grüß dich"}`)
		l.want("echo.say", "", `{"text":""}`)
		l.want("echo.say", "null", `{"text":""}`)
		l.want("echo.missing", "", "ERROR not_found no such video")
		l.want("echo.plain", "", "ERROR internal it broke")
	})
}

func TestAConversation(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		c := offering(t, echo()).dialIn(codec, "").converse(`[1,1,"echo.say",{"text":"one"}]`)
		c.want(`[3,1,{"text":"one"}]`)
		c.say(`[1,4000000000,"echo.say",{"text":"two"}]`)
		c.want(`[3,4000000000,{"text":"two"}]`)
		c.say(`[1,3,"echo.missing",null]`)
		c.want(`[4,3,"not_found","no such video",false]`)
		c.say(`[1,4,"echo.plain",{}]`)
		c.want(`[4,4,"internal","it broke",false]`)
		c.say(`[1,5,"echo.again",{}]`)
		c.want(`[4,5,"unavailable","come back",true]`)
		if err := c.ch.CloseSend(); err != nil {
			t.Fatal(err)
		}
		c.want("COMPLETE")
	})
}

func TestAConversationMayBeginWithoutAMessage(t *testing.T) {
	c := offering(t, echo()).dial("").converse()
	c.say(`[1,1,"echo.say",{"text":"late"}]`)
	c.want(`[3,1,{"text":"late"}]`)
}

func TestSeveralMessagesInOnePayload(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		g, gates := newGate(t)
		c := offering(t, gates, echo()).dialIn(codec, "").
			converse(`[1,1,"gate.wait",{"n":1}]`, `[1,2,"gate.wait",{"n":2}]`, `[1,3,"echo.say",{"text":"three"}]`)
		c.want(`[3,3,{"text":"three"}]`)
		g.wantEntered(t, 2)
		c.say(`[2,1]`, `[1,4,"echo.say",{"text":"four"}]`)
		c.want(`[3,4,{"text":"four"}]`)
		g.wantEnded(t, 1, canceled)
		g.letGo(2)
		c.want(`[3,2,{"n":2}]`)
	})
}

func TestAnswersComeInTheOrderInWhichTheyAreReady(t *testing.T) {
	g, gates := newGate(t)
	c := offering(t, gates).dial("").converse(`[1,1,"gate.wait",{"n":1}]`)
	c.say(`[1,2,"gate.wait",{"n":2}]`)
	c.say(`[1,3,"gate.wait",{"n":3}]`)
	g.wantEntered(t, 3)
	for _, n := range []int{2, 3, 1} {
		g.letGo(n)
		c.want(map[int]string{1: `[3,1,{"n":1}]`, 2: `[3,2,{"n":2}]`, 3: `[3,3,{"n":3}]`}[n])
	}
}

func TestConversationsOfOneLineDoNotWaitForEachOther(t *testing.T) {
	g, gates := newGate(t)
	l := offering(t, gates, echo()).dial("")
	slow := l.converse(`[1,1,"gate.wait",{"n":1}]`)
	g.wantEntered(t, 1)
	quick := l.converse(`[1,1,"echo.say",{"text":"hi"}]`)
	quick.want(`[3,1,{"text":"hi"}]`)
	g.letGo(1)
	slow.want(`[3,1,{"n":1}]`)
}

func TestMessagesThatOnlyAnEdgeSaysOrThatAreNewAreIgnored(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		c := offering(t, echo()).dialIn(codec, "").converse(`[3,1,{}]`, `[5,1,{}]`, `[99,"?",[1,2],3,4,5]`, `[2,77]`)
		c.say(`[1,1,"echo.say",{"text":"still here"}]`)
		c.want(`[3,1,{"text":"still here"}]`)
	})
}

func TestAnUnknownMethodListsWhatThereIs(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		_, gates := newGate(t)
		l := offering(t, gates, catalogue("2.1.3")).dialIn(codec, "")
		l.want("gate.crash", "", `ERROR unknown_method "gate.crash": gate 1.0.0 has hold, read, wait`)
		l.want("gate", "", `ERROR unknown_method "gate": gate 1.0.0 has hold, read, wait`)
		l.want("film.list", "", `ERROR unknown_method "film.list": this line has catalogue, edge, gate`)
		l.want("", "", `ERROR unknown_method "": this line has catalogue, edge, gate`)
		c := l.converse(`[1,1,"gate.crash",{}]`)
		c.want(`[4,1,"unknown_method","\"gate.crash\": gate 1.0.0 has hold, read, wait",false]`)
		c.say(`[1,2,"film.list",{}]`)
		c.want(`[4,2,"unknown_method","\"film.list\": this line has catalogue, edge, gate",false]`)
	})
}

func TestAServiceThatTheLineDoesNotWantIsNotThere(t *testing.T) {
	e := offering(t, echo(), catalogue("2.1.3"))
	l := e.dial(`{"wants":{"catalogue":"^2"}}`)
	l.want("echo.say", "{}", `ERROR unknown_method "echo.say": this line has catalogue, edge`)
	l.converse(`[1,1,"echo.say",{}]`).want(`[4,1,"unknown_method","\"echo.say\": this line has catalogue, edge",false]`)
}

func TestAChannelOnAnotherRouteIsNoConversation(t *testing.T) {
	c := offering(t, echo()).dial("").converseWith(protocol.Metadata{Route: "echo.say"}, `[1,1,"echo.say",{}]`)
	c.want(`ERROR unknown_method a request-channel on route "echo.say", expected warmline.conversation`)
}

func TestTheTraceReachesTheMethod(t *testing.T) {
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	l := offering(t, echo()).dial("")
	l.wantWith(protocol.Metadata{Route: "echo.trace", Traceparent: trace}, "", `"`+trace+`"`)
	l.wantWith(protocol.Metadata{Route: "echo.trace"}, "", `""`)
	c := l.converseWith(protocol.Metadata{Traceparent: trace}, `[1,1,"echo.trace",{}]`)
	c.want(`[3,1,"` + trace + `"]`)
	c.say(`[1,2,"echo.trace",{}]`)
	c.want(`[3,2,"` + trace + `"]`)
}
