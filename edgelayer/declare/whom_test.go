package declare_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"warmline.dev/passport"
	"warmline.dev/protocol"
)

// personal has what is read for somebody in every place where it can be.
const personal = `
sources:
  people:
    url: MID
    timeout: 10s
    reads:
      path: {get: "/path/{passport.profile}"}
      query: {get: "/query?who={passport.profile}"}
      header: {get: /header, headers: {X-Who: "{passport.profile}"}}
      body: {post: /body, body: {who: "{passport.profile}", at: ["{passport.country}", "level {passport.level}"]}}
      vary: {get: /vary, vary: [passport.profile]}
      each: {get: "/each/{passport.profile}?ids={id}", batch: {each: id, within: 20ms, items: ., key: id}}
      eachOf: {post: /each, headers: {X-Who: "{passport.profile}"}, body: {ids: "{id}"}, batch: {each: id, within: 20ms, items: ., key: id}}
  common:
    url: MID
    headers: {X-Country: "{passport.country}", X-App: edge}
    timeout: 10s
    reads:
      own: {get: /own}
services:
  people:
    1.0.0:
      path: {read: people.path}
      query: {read: people.query}
      header: {read: people.header}
      body: {read: people.body}
      vary: {read: people.vary}
      own: {read: common.own}
      each: {read: people.each, args: {ids: {list: integer}}, each: {ids: id}, as: list}
      eachOf: {read: people.eachOf, args: {ids: {list: integer}}, each: {ids: id}, as: list}
      anybody: {read: people.path, needs: anonymous}
      signed: {read: people.path, needs: authenticated}
`

// Whatever a source goes by, nobody is given what was read for another.
func TestTwoPassportsNeverMix(t *testing.T) {
	m := newMidTier(t, "")
	n := 0
	m.by(func(r *http.Request) (int, string) {
		m.mu.Lock()
		defer m.mu.Unlock()
		n++
		if strings.HasPrefix(r.URL.Path, "/each") {
			return http.StatusOK, fmt.Sprintf(`[{"id":1,"answer":%d},{"id":2,"answer":%[1]d}]`, n)
		}
		return http.StatusOK, fmt.Sprintf(`{"answer":%d}`, n)
	})
	e := start(t, personal, m)
	l := e.dial(protocol.JSON)
	people := []passport.Passport{
		{Profile: "paul", Country: "FR", Level: passport.Recognised},
		{Profile: "ada", Country: "US", Level: passport.Recognised},
		{Profile: "paul/ada", Country: "FR/US", Level: passport.Recognised},
		{Profile: "paul%2Fada", Country: "FR%2FUS", Level: passport.Recognised},
		{Profile: "paul, ada", Country: " FR", Level: passport.Recognised},
	}
	for _, method := range []string{"path", "query", "header", "body", "vary", "own", "each", "eachOf"} {
		args := ""
		if strings.HasPrefix(method, "each") {
			args = `{"ids":[1,2]}`
		}
		seen := map[string]int{}
		var first []string
		for i, p := range people {
			got, _ := l.call("people."+method, args, e.seal(p))
			if other, ok := seen[got]; ok || !strings.Contains(got, "answer") {
				t.Errorf("%s: passport %d is given %s, as passport %d was", method, i, got, other)
			}
			seen[got] = i
			first = append(first, got)
		}
		for i, p := range people { // and each its own, from memory
			if got, _ := l.call("people."+method, args, e.seal(p)); got != first[i] {
				t.Errorf("%s: passport %d is given %s, and was %s", method, i, got, first[i])
			}
		}
	}
	if want := 8 * len(people); n != want {
		t.Errorf("the sources were asked %d times, want %d", n, want)
	}
}

func TestWhatASourceIsToldOfThePassport(t *testing.T) {
	m := newMidTier(t, `{}`)
	e := start(t, personal, m)
	l := e.dial(protocol.JSON)
	p := passport.Passport{Profile: "paul", Country: "FR", Level: passport.Authenticated}
	l.wantFor(p, "people.body", "", `{}`)
	m.wantAsked(t, `POST /body {"who":"paul","at":["FR","level authenticated"]}`)
	l.wantFor(p, "people.own", "", `{}`)
	if m.header("X-Country") != "FR" || m.header("X-App") != "edge" {
		t.Error("the headers of the source are missing")
	}
	m.wantAsked(t, "GET /own")
}

func TestWhoMayAsk(t *testing.T) {
	m := newMidTier(t, `{}`)
	e := start(t, personal, m)
	l := e.dial(protocol.JSON)
	l.want("people.path", "", "ERROR unauthenticated …")
	l.wantFor(passport.Passport{Profile: "paul"}, "people.path", "", "ERROR forbidden people.path needs a passport that is recognised, this one is anonymous")
	l.wantFor(passportOf("", ""), "people.path", "", "ERROR forbidden the passport names no profile")
	l.wantFor(passportOf("", "paul"), "people.own", "", "ERROR forbidden the passport names no country")
	l.wantFor(passportOf("", "paul"), "people.signed", "", "ERROR forbidden people.signed needs a passport that is authenticated…")
	m.wantAsked(t)
	l.wantFor(passport.Passport{Profile: "paul"}, "people.anybody", "", `{}`)
}
