package declare_test

import (
	"fmt"
	"net/http"
	"path"
	"strings"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/passport"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// conversation is an adapter's end of one, in msgpack.
type conversation struct {
	l  *line
	ch rsocket.Channel
	id uint32
}

func (l *line) converse(sealed []byte) *conversation {
	l.t.Helper()
	md := protocol.Metadata{Route: protocol.RouteConversation, Passport: sealed}
	ch, err := l.conn.OpenChannel(await.Context(l.t), rsocket.Payload{Metadata: md.Append(nil)})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(ch.Cancel)
	return &conversation{l: l, ch: ch}
}

// want calls in the conversation and compares the answer, or the error in words.
func (c *conversation) want(method, args, answer string) {
	c.l.t.Helper()
	c.id++
	data, err := c.l.codec.AppendMessage(nil, &protocol.Message{Kind: protocol.KindCall, ID: c.id, Method: method, Value: c.l.encode(args)})
	if err == nil {
		err = c.ch.Send(await.Context(c.l.t), rsocket.Payload{Data: data})
	}
	var p rsocket.Payload
	if err == nil {
		p, err = c.ch.Recv(await.Context(c.l.t))
	}
	var m protocol.Message
	if err == nil {
		m, _, err = c.l.codec.NextMessage(p.Data, 1<<20)
	}
	if err != nil {
		c.l.t.Fatal(err)
	}
	got := ""
	if m.Failure != nil {
		got = fmt.Sprintf("ERROR %s %s", m.Failure.Code, m.Failure.Message)
	} else {
		got = c.l.decode(m.Value)
	}
	if got != answer {
		c.l.t.Errorf("%s %s\n got %s\nwant %s", method, args, got, answer)
	}
}

const atHand = `
sources:
  films:
    url: MID
    timeout: 10s
    reads:
      film: {get: "/films/{id}"}
      whose: {get: "/films/{id}", headers: {X-Who: "{passport.profile}"}}
services:
  films:
    1.0.0:
      film: {read: films.film, args: {id: {type: integer, max: 1000}}, pick: [title]}
      films: {read: films.film, args: {ids: {list: integer, most: 1000}}, each: {ids: id}, as: films, pick: [title]}
      whose: {read: films.whose, args: {id: integer}, pick: [title]}
`

// counted is what the caches have counted.
func (e *edge) counted() string {
	said := ""
	for _, c := range e.tier.Caches() {
		s := c.Stats()
		said += fmt.Sprintf("%s: %d hits, %d misses; ", c.Name(), s.Hits, s.Misses)
	}
	return said
}

// In a conversation what is kept is answered at once: the same answers, and the same
// figures.
func TestWhatIsKeptIsAnsweredAtOnce(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		m := newMidTier(t, "")
		m.by(func(r *http.Request) (int, string) {
			if r.URL.Path == "/films/4" {
				return http.StatusNotFound, `{}`
			}
			return http.StatusOK, fmt.Sprintf(`{"title":"film %s"}`, path.Base(r.URL.Path))
		})
		e := start(t, atHand, m)
		l := e.dial(codec)
		ask := func(method, args, answer, counted string) {
			t.Helper()
			l.converse(e.seal(passport.Passport{Profile: "paul", Level: passport.Recognised})).want(method, args, answer)
			if got := e.counted(); got != counted {
				t.Errorf("%s %s: %s, want %s", method, args, got, counted)
			}
		}
		ask("films.film", `{"id":1}`, `{"title":"film 1"}`, "film: 0 hits, 1 misses; whose: 0 hits, 0 misses; ")
		ask("films.film", `{"id":1}`, `{"title":"film 1"}`, "film: 1 hits, 1 misses; whose: 0 hits, 0 misses; ")
		ask("films.film", `{"id":4}`, `ERROR not_found source films: HTTP 404`, "film: 1 hits, 2 misses; whose: 0 hits, 0 misses; ")
		ask("films.film", `{"id":4}`, `ERROR not_found source films: HTTP 404`, "film: 2 hits, 2 misses; whose: 0 hits, 0 misses; ")
		m.wantAsked(t, "GET /films/1", "GET /films/4")
		ask("films.films", `{"ids":[1,4,2]}`, `{"films":[{"title":"film 1"},{"title":"film 2"}]}`, "film: 4 hits, 3 misses; whose: 0 hits, 0 misses; ")
		ask("films.films", `{"ids":[2,4,1]}`, `{"films":[{"title":"film 2"},{"title":"film 1"}]}`, "film: 7 hits, 3 misses; whose: 0 hits, 0 misses; ")
		ask("films.whose", `{"id":1}`, `{"title":"film 1"}`, "film: 7 hits, 3 misses; whose: 0 hits, 1 misses; ")
		ask("films.whose", `{"id":1}`, `{"title":"film 1"}`, "film: 7 hits, 3 misses; whose: 1 hits, 1 misses; ")
		m.wantAsked(t, "GET /films/2", "GET /films/1")

		many := `{"ids":[1` + strings.Repeat(",1", 500) + `]}`
		ask("films.films", many, `{"films":[{"title":"film 1"}`+strings.Repeat(`,{"title":"film 1"}`, 500)+`]}`, "film: 508 hits, 3 misses; whose: 1 hits, 1 misses; ")
		c := l.converse(nil)
		c.want("films.film", `{"id":1001}`, "ERROR invalid_argument id is 1001, expected at most 1000")
		c.want("films.film", `{"id":"1"}`, `ERROR invalid_argument arguments of films.film: id is not an integer; expected {"id":integer}`)
		c.want("films.whose", `{"id":1}`, "ERROR unauthenticated passport: missing")
	})
}

// What is answered at once is not among the calls that run: there may be more of them
// than may run at once.
func TestAWholePageIsAnsweredAtOnce(t *testing.T) {
	const calls = 500
	e := start(t, atHand, newMidTier(t, ""))
	title, err := protocol.MsgPack.Marshal(map[string]string{"title": "a film"})
	if err != nil {
		t.Fatal(err)
	}
	c := e.dial(protocol.MsgPack).converse(nil)
	var data []byte
	for id := range uint32(calls) {
		e.tier.Caches()[0].Set(fmt.Sprint(id), title)
		m := protocol.Message{Kind: protocol.KindCall, ID: id, Method: "films.film", Value: c.l.encode(fmt.Sprintf(`{"id":%d}`, id))}
		if data, err = protocol.MsgPack.AppendMessage(data, &m); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.ch.Send(await.Context(t), rsocket.Payload{Data: data}); err != nil {
		t.Fatal(err)
	}
	for answered := 0; answered < calls; {
		p, err := c.ch.Recv(await.Context(t))
		for rest := p.Data; err == nil && len(rest) > 0; answered++ {
			var m protocol.Message
			if m, rest, err = protocol.MsgPack.NextMessage(rest, 1<<20); m.Kind != protocol.KindReply {
				t.Fatalf("%+v, %v", m, m.Failure)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
