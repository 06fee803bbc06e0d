package edgelayer_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/await"
	"warmline.dev/internal/serving"
	"warmline.dev/internal/wildcard"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/composite"
)

// edge is the server under test, at a port of its own.
type edge struct {
	*edgelayer.Server
	t    testing.TB
	addr string
}

func start(t testing.TB, cfg edgelayer.Config) *edge {
	t.Helper()
	s, err := edgelayer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &edge{Server: s, t: t, addr: serving.Start(t, s.Serve, s.Close)}
}

// offering starts an edge that offers services and is otherwise as it comes.
func offering(t testing.TB, services ...edgelayer.Service) *edge {
	t.Helper()
	return start(t, edgelayer.Config{Services: services})
}

// line is an adapter's end of a line, played by hand. What it says and hears is
// written as JSON, whichever codec the line has.
type line struct {
	t     testing.TB
	conn  *rsocket.Conn
	codec protocol.Codec
}

// dial opens a line in msgpack. "" says nothing in SETUP.
func (e *edge) dial(hello string) *line { e.t.Helper(); return e.dialIn(protocol.MsgPack, hello) }

func (e *edge) dialIn(codec protocol.Codec, hello string) *line {
	e.t.Helper()
	l := &line{t: e.t, codec: codec}
	return e.dialRaw(codec, rsocket.Setup{MetadataMIME: composite.MIME, DataMIME: codec.MIME(), Payload: rsocket.Payload{Data: l.encode(hello)}})
}

func (e *edge) dialRaw(codec protocol.Codec, setup rsocket.Setup) *line {
	e.t.Helper()
	return e.dialBoth(codec, setup, rsocket.Config{})
}

// dialBy opens a line with bounds of its own.
func (e *edge) dialBy(cfg rsocket.Config) *line {
	e.t.Helper()
	return e.dialBoth(protocol.MsgPack, rsocket.Setup{MetadataMIME: composite.MIME, DataMIME: protocol.MIMEMsgPack}, cfg)
}

func (e *edge) dialBoth(codec protocol.Codec, setup rsocket.Setup, cfg rsocket.Config) *line {
	e.t.Helper()
	conn, err := rsocket.Dial(await.Context(e.t), e.addr, setup, rsocket.Handler{}, cfg)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = conn.Close() })
	return &line{t: e.t, conn: conn, codec: codec}
}

// inBothCodecs runs a test on lines that speak msgpack and on lines that speak JSON.
func inBothCodecs(t *testing.T, test func(t *testing.T, codec protocol.Codec)) {
	t.Run("msgpack", func(t *testing.T) { test(t, protocol.MsgPack) })
	t.Run("json", func(t *testing.T) { test(t, protocol.JSON) })
}

// want makes a single call and compares what comes back: the result, or the
// error in words.
func (l *line) want(method, args, answer string) {
	l.t.Helper()
	l.wantWith(protocol.Metadata{Route: method}, args, answer)
}

func (l *line) wantWith(md protocol.Metadata, args, answer string) {
	l.t.Helper()
	if got := l.ask(md, args); !wildcard.Match(got, answer) {
		l.t.Errorf("%s %s\n got %s\nwant %s", md.Route, args, got, answer)
	}
}

func (l *line) ask(md protocol.Metadata, args string) string {
	l.t.Helper()
	got, _ := l.askForAll(md, args)
	return got
}

// askForAll returns the metadata that came with the answer, too.
func (l *line) askForAll(md protocol.Metadata, args string) (string, protocol.Metadata) {
	l.t.Helper()
	return l.request(rsocket.Payload{Metadata: md.Append(nil), Data: l.encode(args)})
}

func (l *line) request(p rsocket.Payload) (string, protocol.Metadata) {
	l.t.Helper()
	reply, err := l.conn.Call(await.Context(l.t), p)
	if err != nil {
		return words(err), protocol.Metadata{}
	}
	back, err := protocol.ParseMetadata(reply.Metadata)
	if err != nil {
		l.t.Fatal(err)
	}
	return strings.Join(l.decode(reply.Data), " "), back
}

// wantClosed waits for the edge to close the line.
func (l *line) wantClosed(why string) {
	l.t.Helper()
	select {
	case <-l.conn.Done():
	case <-await.Context(l.t).Done():
		l.t.Fatalf("the line stands, want %s", why)
	}
	if got := words(l.conn.Err()); !wildcard.Match(got, why) {
		l.t.Errorf("line closed\n got %s\nwant %s", got, why)
	}
}

// conversation is an adapter's end of a conversation, played by hand.
type conversation struct {
	l  *line
	ch rsocket.Channel
}

// converse opens a conversation with its first messages.
func (l *line) converse(first ...string) *conversation {
	l.t.Helper()
	return l.converseWith(protocol.Metadata{}, first...)
}

func (l *line) converseWith(md protocol.Metadata, first ...string) *conversation {
	l.t.Helper()
	if md.Route == "" {
		md.Route = protocol.RouteConversation
	}
	return l.open(rsocket.Payload{Metadata: md.Append(nil), Data: l.encode(first...)})
}

func (l *line) open(p rsocket.Payload) *conversation {
	l.t.Helper()
	ch, err := l.conn.OpenChannel(await.Context(l.t), p)
	if err != nil {
		l.t.Fatal(err)
	}
	return &conversation{l: l, ch: ch}
}

// say sends messages in one payload.
func (c *conversation) say(messages ...string) { c.l.t.Helper(); c.sayRaw(c.l.encode(messages...)) }

func (c *conversation) sayRaw(data []byte) {
	c.l.t.Helper()
	if err := c.ch.Send(await.Context(c.l.t), rsocket.Payload{Data: data}); err != nil {
		c.l.t.Fatalf("say: %v", err)
	}
}

// want reads one payload and wants it to hold these messages, or one that says
// how the conversation ended: "COMPLETE", "ERROR code text".
func (c *conversation) want(messages ...string) {
	c.l.t.Helper()
	got := c.hear()
	ok := len(got) == len(messages)
	for i := range min(len(got), len(messages)) {
		ok = ok && wildcard.Match(got[i], messages[i])
	}
	if !ok {
		c.l.t.Fatalf("payload\n got %s\nwant %s", strings.Join(got, " "), strings.Join(messages, " "))
	}
}

// hear reads one payload.
func (c *conversation) hear() []string {
	c.l.t.Helper()
	p, err := c.ch.Recv(await.Context(c.l.t))
	if err != nil {
		return []string{words(err)}
	}
	return c.l.decode(p.Data)
}

// hearAll reads so many messages, in however many payloads they come.
func (c *conversation) hearAll(n int) (messages []string) {
	c.l.t.Helper()
	for len(messages) < n {
		messages = append(messages, c.hear()...)
	}
	return messages
}

// encode puts JSON into the line's codec, value behind value.
func (l *line) encode(values ...string) []byte {
	var b []byte
	for _, text := range values {
		if text == "" {
			continue
		}
		if l.codec == protocol.JSON {
			b = append(b, text...)
			continue
		}
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			l.t.Fatalf("%s: %v", text, err)
		}
		raw, err := protocol.MsgPack.Marshal(references(v))
		if err != nil {
			l.t.Fatal(err)
		}
		b = append(b, raw...)
	}
	return b
}

// references makes {"$ref":[call, "key", null, …]} what msgpack has for it.
func references(v any) any {
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			v[i] = references(e)
		}
	case map[string]any:
		if steps, ok := v["$ref"].([]any); ok {
			r := protocol.Reference{Call: uint32(steps[0].(float64))}
			for _, s := range steps[1:] {
				switch s := s.(type) {
				case string:
					r.Path = append(r.Path, protocol.Key(s))
				case float64:
					r.Path = append(r.Path, protocol.Index(int(s)))
				default:
					r.Path = append(r.Path, protocol.Each)
				}
			}
			return r
		}
		for k, e := range v {
			v[k] = references(e)
		}
	}
	return v
}

// decode writes what the line's codec says as JSON, with keys in order.
func (l *line) decode(b []byte) (values []string) {
	next := json.NewDecoder(bytes.NewReader(b)).Decode
	if l.codec == protocol.MsgPack {
		next = msgpack.NewDecoder(bytes.NewReader(b)).Decode
	}
	for {
		var v any
		if err := next(&v); errors.Is(err, io.EOF) {
			return values
		} else if err != nil {
			return append(values, "GARBAGE "+err.Error())
		}
		var text bytes.Buffer
		enc := json.NewEncoder(&text)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			return append(values, "GARBAGE "+err.Error())
		}
		values = append(values, strings.TrimSpace(text.String()))
	}
}

// words writes an end: "COMPLETE", or "ERROR code text" for that of a stream and
// "CLOSED code text" for that of a line, as the edge told it.
func words(err error) string {
	if errors.Is(err, io.EOF) {
		return "COMPLETE"
	}
	e, ok := errors.AsType[*rsocket.Error](err)
	if !ok || !e.Remote {
		return "LOST " + err.Error()
	}
	what, code := "ERROR", e.Code.String()
	if e.Conn {
		what = "CLOSED"
	}
	if strings.HasPrefix(code, "0x") {
		code = protocol.Code(e.Code).String()
	}
	return fmt.Sprintf("%s %s %s", what, code, e.Message)
}
