package js

import (
	"errors"
	"fmt"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/internal/cut"
	"warmline.dev/protocol/rsocket"
)

var webSocket = terms{ws: true}

func TestTheyAskOverWebSocket(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		ask := func(scenario string, o options) *pair { return theyAsk(t, l, theyDial, webSocket, scenario, o) }

		requests := append(plain[:len(plain):len(plain)], message{Data: fmt.Sprint("give ", long)}, message{Data: "refuse"})
		got := ask("responses", options{"requests": wire(requests...)}).result()
		want(t, got.Replies, append(replies(plain...), reply{message: message{Data: digest(pattern(long))}}, reply{Error: &refusal}))

		p := ask("stream", options{"request": wire(message{Data: "count 100"})[0], "credit": []int{3, 2}, "cancel": true})
		want(t, p.result(), result{Items: counted(5, ""), End: "canceled"})
		want(t, await.Value(t, "the handler is told to stop", p.released), "stream")

		items := numbered("first", 200)
		got = ask("channel", options{"items": wire(items...), "window": window}).result()
		want(t, got, result{Items: items, Sent: len(items), Complete: true})

		p = ask("fnf", options{"requests": wire(message{Data: "forget it"})})
		want(t, await.Value(t, "the request", p.forgot), message{Data: "forget it"})
		p.result()
	})
}

func TestWeAskOverWebSocket(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, webSocket)
		for _, m := range append(plain[:len(plain):len(plain)], message{Data: string(pattern(long))}) {
			reply, err := p.conn.Call(await.Context(t), m.payload())
			if err != nil {
				t.Fatal(err)
			}
			if l.noMetadataOut {
				m.Metadata = ""
			}
			want(t, told(reply), told(m.payload()))
		}
		want(t, p.rest(p.stream(message{Data: "count 200"})), counted(200, ""))

		items := numbered("first", 200)
		ch := p.open(items[0])
		sent := send(ch, items[1:]...)
		want(t, p.rest(ch), items)
		want(t, await.Value(t, "all is sent", sent), nil)

		if err := p.conn.FireAndForget(t.Context(), message{Data: "forget it"}.payload()); err != nil {
			t.Fatal(err)
		}
		want(t, p.saw("fnf").Data, "forget it")
		if !l.noPush {
			if err := p.conn.PushMetadata(t.Context(), []byte("pushed")); err != nil {
				t.Fatal(err)
			}
			want(t, p.saw("push").Metadata, "pushed")
		}
		p.answers()
	})
}

func TestTheyTakeAGiantOverWebSocket(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		p := weAsk(t, l, theyDial, webSocket)
		reply, err := p.conn.Call(await.Context(t), rsocket.Payload{Metadata: []byte("digest"), Data: giant})
		if err != nil || string(reply.Data) != digest(giant) {
			t.Errorf("got %q, %v, want %q", told(reply), err, digest(giant))
		}
	})
}

// 1.0.0-alpha.3's server notices by its lifetime only.
func TestWebSocketIsCut(t *testing.T) {
	either(t, func(t *testing.T, l *library, theyDial bool) {
		between := cut.New(t, "")
		how, _ := lively(nil)
		how.ws, how.via = true, between.Before
		p := weAsk(t, l, theyDial, how)
		outcomes := p.hanging()
		between.Cut()
		for range models {
			if err := await.Value(t, "the outcome", outcomes); !errors.Is(err, rsocket.ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
			p.saw("released")
		}
		p.gone()
	})
}
