package edgelayer_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// bomb is a msgpack array that claims 2³² - 1 elements.
const bomb = "\xdd\xff\xff\xff\xff"

func route(name string) []byte {
	md := protocol.Metadata{Route: name}
	return md.Append(nil)
}

// Each is a well-formed frame whose content is no encoding of anything: it ends
// the line that it came on, and no other.
func TestMalformedContentClosesItsLineAlone(t *testing.T) {
	falseLength := append(route("echo.say"), "\x05x/pass\xff\xff\xff?"...)
	call := func(md []byte, data string) func(*line) {
		return func(l *line) { l.request(rsocket.Payload{Metadata: md, Data: []byte(data)}) }
	}
	opening := func(md []byte, data string) func(*line) {
		return func(l *line) { l.open(rsocket.Payload{Metadata: md, Data: []byte(data)}) }
	}
	saying := func(data string) func(*line) {
		return func(l *line) { l.converse(`[1,1,"echo.say",{}]`).sayRaw([]byte(data)) }
	}
	for what, tc := range map[string]struct {
		codec protocol.Codec
		do    func(l *line)
	}{
		"a message that is a bomb":                   {protocol.MsgPack, saying(bomb)},
		"a first message that is a bomb":             {protocol.MsgPack, opening(route(protocol.RouteConversation), bomb)},
		"a bomb in a call's arguments":               {protocol.MsgPack, saying("\x94\x01\x02\xa8echo.say" + bomb)},
		"a string of 2³² bytes in a call":            {protocol.MsgPack, saying("\x94\x01\x02\xa8echo.say\xdb\xff\xff\xff\xff")},
		"a bomb behind a good message":               {protocol.MsgPack, saying("\x92\x02\x01" + bomb)},
		"a single call's arguments that are a bomb":  {protocol.MsgPack, call(route("echo.say"), bomb)},
		"a single call's arguments that go on":       {protocol.MsgPack, call(route("echo.say"), "\x80\x80")},
		"a byte that msgpack never uses":             {protocol.MsgPack, saying("\xc1")},
		"a message that breaks off":                  {protocol.MsgPack, saying("\x94\x01\x02")},
		"a message that is no array":                 {protocol.MsgPack, saying("\x01")},
		"a message that is an empty array":           {protocol.MsgPack, saying("\x90")},
		"a message without its id":                   {protocol.MsgPack, saying("\x91\x02")},
		"a call of three elements":                   {protocol.MsgPack, saying("\x93\x01\x02\xa8echo.say")},
		"a call whose id is text":                    {protocol.MsgPack, saying("\x94\x01\xa1?\xa8echo.say\x80")},
		"metadata with a false length":               {protocol.MsgPack, call(falseLength, "\x80")},
		"a conversation's metadata, likewise":        {protocol.MsgPack, opening(falseLength, "")},
		"a routing entry with a false length":        {protocol.MsgPack, call([]byte("\xfe\x00\x00\x02\xffx"), "")},
		"a budget of three bytes":                    {protocol.MsgPack, call(append(route("echo.say"), "\x1eapplication/vnd.warmline.budget\x00\x00\x03\x00\x00\x01"...), "")},
		"JSON that breaks off":                       {protocol.JSON, saying(`[1,2,"echo.say",{`)},
		"JSON that is no array":                      {protocol.JSON, saying(`{"call":1}`)},
		"JSON that is an empty array":                {protocol.JSON, saying(`[]`)},
		"JSON that is only space":                    {protocol.JSON, saying("  \n")},
		"msgpack on a JSON line":                     {protocol.JSON, saying("\x92\x02\x01")},
		"JSON 20,000 deep":                           {protocol.JSON, saying(nested(20000))},
		"a single call's JSON that breaks off":       {protocol.JSON, call(route("echo.say"), `{"text":`)},
		"a single call's JSON with another value":    {protocol.JSON, call(route("echo.say"), `{} {}`)},
		"msgpack 100 deep":                           {protocol.MsgPack, call(route("echo.say"), deep(100))},
		"a hundred and fifty thousand small strings": {protocol.MsgPack, call(route("echo.say"), many(150_000))},
	} {
		t.Run(what, func(t *testing.T) {
			e := offering(t, echo())
			witness := e.dial("").converse()
			l := e.dialIn(tc.codec, "")
			tc.do(l)
			l.wantClosed("CLOSED CONNECTION_ERROR malformed …")
			witness.say(`[1,1,"echo.say",{"text":"here"}]`)
			witness.want(`[3,1,{"text":"here"}]`)
			e.dial("").want("echo.say", `{"text":"new"}`, `{"text":"new"}`)
		})
	}
}

func nested(depth int) string {
	b := make([]byte, 0, depth+4)
	for range depth {
		b = append(b, '[')
	}
	return string(b)
}

func deep(depth int) string {
	b := make([]byte, 0, depth+1)
	for range depth {
		b = append(b, 0x91) // an array of one
	}
	return string(append(b, 0xC0))
}

func many(n int) string {
	b := append([]byte("\xdd"), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	for range n {
		b = append(b, 0xA0) // an empty string
	}
	return string(b)
}

// A method may come across garbage of its own, from a source or a store: that
// is no fault of the adapter's.
func TestGarbageThatAMethodCameAcrossFailsItsCallAlone(t *testing.T) {
	reads := edgelayer.NewMethod("read", func(context.Context, struct{}) (in text, err error) {
		return in, protocol.MsgPack.Unmarshal([]byte(bomb), &in)
	})
	l := offering(t, echo(), edgelayer.Service{Name: "store", Version: "1.0.0", Methods: []edgelayer.Method{reads}}).dial("")
	l.want("store.read", "", "ERROR internal malformed msgpack …")
	c := l.converse(`[1,1,"store.read",{}]`)
	c.want(`[4,1,"internal","malformed msgpack …",false]`)
	c.say(`[1,2,"echo.say",{"text":"on"}]`)
	c.want(`[3,2,{"text":"on"}]`)
}

// An adapter that takes no answers holds up its own conversation: the answers
// wait for its credit, and their calls keep their places.
func TestAnAdapterThatTakesNoAnswersHoldsUpItsOwnConversationOnly(t *testing.T) {
	const most = 4
	e := start(t, edgelayer.Config{Services: []edgelayer.Service{echo()}, MaxCalls: most})
	l := e.dialBy(rsocket.Config{Window: 1})
	c := l.converse()
	asked := make(chan struct{})
	go func() { // until the edge takes no more
		defer close(asked)
		for id := range 1000 {
			data := l.encode(fmt.Sprintf(`[1,%d,"echo.big",{"n":10000}]`, id))
			if err := c.ch.Send(t.Context(), rsocket.Payload{Data: data}); err != nil {
				return
			}
		}
	}()
	// One payload of answers is there, as many as may run and as many again wait to be
	// sent; behind them a refusal waits, and with it all that is asked.
	await.Until(t, "the edge to stand still", func() bool {
		before := e.Stats().Calls
		time.Sleep(20 * time.Millisecond)
		return before > 0 && e.Stats().Calls == before
	})
	if n := e.Stats().Calls; n > 3*most {
		t.Errorf("%d calls were run for an adapter that has taken no answer", n)
	}
	for range 20 {
		l.want("echo.say", `{"text":"beside"}`, `{"text":"beside"}`)
		l.converse(`[1,1,"echo.say",{"text":"on the same line"}]`).want(`[3,1,{"text":"on the same line"}]`)
		e.dial("").converse(`[1,1,"echo.say",{"text":"on another"}]`).want(`[3,1,{"text":"on another"}]`)
	}
	c.ch.Cancel()
	<-asked
	await.Until(t, "the conversations to be over", func() bool { return e.Stats().Conversations <= 40 }) // those that were left open
}
