package declare_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/declare"
	"warmline.dev/internal/await"
	"warmline.dev/internal/serving"
	"warmline.dev/internal/wildcard"
	"warmline.dev/passport"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/composite"
)

// midTier is a mid-tier service that answers what it is told to, and remembers
// what it was asked.
type midTier struct {
	URL string

	mu      sync.Mutex
	asked   []string // METHOD URL [BODY]
	headers []http.Header
	answer  func(r *http.Request) (status int, body string)
}

// newMidTier starts one that answers everything the same until it is told otherwise.
func newMidTier(t testing.TB, body string) *midTier {
	t.Helper()
	m := &midTier{answer: func(*http.Request) (int, string) { return http.StatusOK, body }}
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	m.URL = s.URL
	return m
}

func (m *midTier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	m.mu.Lock()
	m.asked = append(m.asked, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
	m.headers = append(m.headers, r.Header)
	answer := m.answer
	m.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	status, text := answer(r)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // who has gone away hears nothing
}

// by has it answer by a function.
func (m *midTier) by(f func(r *http.Request) (status int, body string)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answer = f
}

// says has it answer everything the same.
func (m *midTier) says(status int, body string) {
	m.by(func(*http.Request) (int, string) { return status, body })
}

// wantAsked wants it to have been asked just that since the last time.
func (m *midTier) wantAsked(t testing.TB, want ...string) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if got, want := strings.Join(m.asked, "\n"), strings.Join(want, "\n"); got != want {
		t.Errorf("the source was asked\n%s\nwant\n%s", got, want)
	}
	m.asked, m.headers = nil, nil
}

func (m *midTier) header(name string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.headers[len(m.headers)-1].Get(name)
}

// edge is a declaration that runs.
type edge struct {
	t    testing.TB
	tier *declare.Tier
	srv  *edgelayer.Server
	keys *passport.Keyring
	addr string
}

// parse reads a declaration of which MID is to be the mid-tier.
func parse(t testing.TB, text string, m *midTier) *declare.Declaration {
	t.Helper()
	d, err := declare.Parse("edge.yaml", []byte(strings.ReplaceAll(text, "MID", m.URL)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func start(t testing.TB, text string, m *midTier) *edge {
	t.Helper()
	return startWith(t, text, m, declare.Config{})
}

func startWith(t testing.TB, text string, m *midTier, cfg declare.Config) *edge {
	t.Helper()
	e := &edge{t: t}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	e.tier, err = declare.New(parse(t, text, m), cfg)
	check(err)
	t.Cleanup(e.tier.Close)
	e.keys, err = passport.NewKeyring(passport.NewKey("k1"))
	check(err)
	e.srv, err = edgelayer.New(edgelayer.Config{Services: e.tier.Services(), Keys: e.keys})
	check(err)
	e.addr = serving.Start(t, e.srv.Serve, e.srv.Close)
	return e
}

// line is an adapter's end of a line. What it says and hears is written as JSON,
// whichever codec the line has.
type line struct {
	t     testing.TB
	e     *edge
	conn  *rsocket.Conn
	codec protocol.Codec
}

func (e *edge) dial(codec protocol.Codec) *line {
	e.t.Helper()
	setup := rsocket.Setup{MetadataMIME: composite.MIME, DataMIME: codec.MIME()}
	conn, err := rsocket.Dial(await.Context(e.t), e.addr, setup, rsocket.Handler{}, rsocket.Config{})
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = conn.Close() })
	return &line{e.t, e, conn, codec}
}

// inBothCodecs runs a test on lines that speak msgpack and on lines that speak JSON.
func inBothCodecs(t *testing.T, test func(t *testing.T, codec protocol.Codec)) {
	t.Run("msgpack", func(t *testing.T) { test(t, protocol.MsgPack) })
	t.Run("json", func(t *testing.T) { test(t, protocol.JSON) })
}

// passportOf is one of somebody recognised.
func passportOf(customer, profile string) passport.Passport {
	return passport.Passport{Customer: customer, Profile: profile, Level: passport.Recognised}
}

// want calls without a passport and compares the answer, or the error in words.
func (l *line) want(method, args, answer string) { l.t.Helper(); l.compare(method, args, nil, answer) }

// wantFor calls with a passport.
func (l *line) wantFor(p passport.Passport, method, args, answer string) {
	l.t.Helper()
	l.compare(method, args, l.e.seal(p), answer)
}

func (e *edge) seal(p passport.Passport) []byte {
	e.t.Helper()
	p.Issued, p.Expires = time.Now(), time.Now().Add(time.Hour)
	sealed, err := e.keys.Seal(p)
	if err != nil {
		e.t.Fatal(err)
	}
	return sealed
}

func (l *line) compare(method, args string, sealed []byte, answer string) {
	l.t.Helper()
	got, _ := l.call(method, args, sealed)
	if !wildcard.Match(got, answer) {
		l.t.Errorf("%s %s\n got %s\nwant %s", method, args, got, answer)
	}
}

func (l *line) call(method, args string, sealed []byte) (string, protocol.Metadata) {
	l.t.Helper()
	md := protocol.Metadata{Route: method, Passport: sealed}
	reply, err := l.conn.Call(await.Context(l.t), rsocket.Payload{Metadata: md.Append(nil), Data: l.encode(args)})
	if err != nil {
		return words(err), protocol.Metadata{}
	}
	back, err := protocol.ParseMetadata(reply.Metadata)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.decode(reply.Data), back
}

func (l *line) encode(text string) []byte {
	if l.codec == protocol.JSON || text == "" {
		return []byte(text)
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		l.t.Fatalf("%s: %v", text, err)
	}
	b, err := msgp.AppendIntf(nil, v)
	if err != nil {
		l.t.Fatal(err)
	}
	return b
}

func (l *line) decode(b []byte) string {
	if l.codec == protocol.JSON {
		return string(b)
	}
	if err := protocol.DefaultLimits.Check(b); err != nil {
		return "GARBAGE " + err.Error()
	}
	var text bytes.Buffer
	if _, err := msgp.UnmarshalAsJSON(&text, b); err != nil {
		return "GARBAGE " + err.Error()
	}
	return text.String()
}

// words is an error as the edge told it.
func words(err error) string {
	e, ok := errors.AsType[*rsocket.Error](err)
	if !ok || !e.Remote {
		return "LOST " + err.Error()
	}
	code := e.Code.String()
	if strings.HasPrefix(code, "0x") {
		code = protocol.Code(e.Code).String()
	}
	return fmt.Sprintf("ERROR %s %s", code, e.Message)
}
