package declare_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"warmline.dev/protocol"
)

const places = `
sources:
  s:
    url: MID
    timeout: 10s
    retry: off
    breaker: off
    reads:
      path: {get: "/a/{x}/b?c=d", cache: off}
      query: {get: "/a?x={x}&c=d", cache: off}
      header: {get: /a, headers: {X-X: "<{x}>"}, cache: off}
      body: {post: /a, body: {x: "{x}", text: "<{x}>"}, cache: off}
      two: {get: "/a/{x}{y}", cache: off}
      each: {get: "/a/{x}", batch: {each: x, items: ., key: x}, cache: off}
services:
  s:
    1.0.0:
      path: {read: s.path, args: {x: string}}
      query: {read: s.query, args: {x: string}}
      header: {read: s.header, args: {x: string}}
      body: {read: s.body, args: {x: string}}
      two: {read: s.two, args: {x: string, y: string}}
      each: {read: s.each, args: {xs: {list: string}}, each: {xs: x}, as: list}
`

// What an argument holds stays in its place.
func TestNothingBreaksOutOfItsPlace(t *testing.T) {
	m := newMidTier(t, "")
	m.by(func(r *http.Request) (int, string) {
		if r.URL.Path == "/a" && r.URL.Query().Get("c") != "d" && r.Method == http.MethodGet && r.Header.Get("X-X") == "" {
			return http.StatusTeapot, ""
		}
		return http.StatusOK, "1"
	})
	e := start(t, places, m)
	l := e.dial(protocol.JSON)
	for _, x := range []string{
		"/", "a/b", "../../etc", "..%2F", "%2e%2e", "?q=1", "#f", "&c=e", "=", "%", "%00", "\x00", "\n", "\r\nX-Evil: 1",
		" ", "+", ";", "\\", "//host", "@host", ":80", "é", "{y}", "...", "\u2028", "*",
	} {
		quoted, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		args := `{"x":` + string(quoted) + `}`
		var got, want struct{ path, query, body, c string }
		m.by(func(r *http.Request) (int, string) {
			m.mu.Lock()
			defer m.mu.Unlock()
			got.path, got.query, got.c = r.URL.EscapedPath(), r.URL.Query().Get("x"), r.URL.Query().Get("c")
			if len(r.URL.Query()) > 2 || r.Header.Get("X-Evil") != "" || r.URL.Fragment != "" {
				t.Errorf("%q broke out: %s", x, r.URL)
			}
			return http.StatusOK, "1"
		})
		l.want("s.query", args, "1")
		if want.query = x; got.query != x || got.path != "/a" || got.c != "d" {
			t.Errorf("%q in the query: %+v", x, got)
		}
		l.want("s.path", args, "1")
		inside, ok := strings.CutPrefix(got.path, "/a/")
		inside, ok2 := strings.CutSuffix(inside, "/b")
		text, err := url.PathUnescape(inside)
		if !ok || !ok2 || strings.Contains(inside, "/") || text != x || err != nil || got.c != "d" {
			t.Errorf("%q in the path: %q", x, got.path)
		}
	}
	m.says(http.StatusOK, "1")
	m.mu.Lock()
	m.asked = nil
	m.mu.Unlock()
	l.want("s.body", `{"x":"\",\"y\":\"\n"}`, "1")
	m.wantAsked(t, `POST /a {"x":"\",\"y\":\"\n","text":"\u003c\",\"y\":\"\n\u003e"}`)
	for _, x := range []string{"", ".", ".."} {
		l.want("s.path", `{"x":"`+x+`"}`, `ERROR invalid_argument x is "`+x+`", which can't stand in a path`)
	}
	l.want("s.two", `{"x":".","y":"."}`, `ERROR invalid_argument x, y is "..", which can't stand in a path`)
	l.want("s.two", `{"x":".","y":"a"}`, "1")
	m.wantAsked(t, "GET /a/.a")
	for _, x := range []string{`\n`, `\r`, `\u0000`, `é`} {
		l.want("s.header", `{"x":"`+x+`"}`, "ERROR invalid_argument what the header X-X is made of has …")
	}
	m.wantAsked(t)
	l.want("s.header", `{"x":"a, b"}`, "1")
	if got := m.header("X-X"); got != "<a, b>" {
		t.Errorf("the header is %q", got)
	}
	// One of many that can't be told from others is not asked for.
	m.says(http.StatusOK, `[{"x":"a"},{"x":"b"},{"x":"a,b"}]`)
	l.want("s.each", `{"xs":["a,b","..","a",""]}`, `{"list":[{"x":"a"}]}`)
}
