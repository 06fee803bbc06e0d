package declare_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"warmline.dev/passport"
	"warmline.dev/protocol"
)

// collide has the same reads twice: kept, and asked for each time.
func collide() string {
	const source = `
  NAME:
    url: MID
    timeout: 10s
    reads:
      get: {get: "/m/{passport.profile}/{a}?b={b}&c={c}x{d}", headers: {X-E: "{e}"}, cache: CACHE}
      post: {post: "/p/{passport.profile}", body: {a: "{a}", b: "{b}", n: "{n}", f: "{f}", list: ["{c}", "{a}{b}"]}, cache: CACHE}
      each: {get: "/e/{passport.profile}/{a}?ids={id}&b={b}", batch: {each: id, within: 2ms, items: list, key: id}, cache: CACHE}
      many: {post: "/e/{passport.profile}/{a}", body: {ids: "{id}", b: "{b}"}, batch: {each: id, within: 2ms, items: list, key: id}, cache: CACHE}
`
	const service = `
  NAME:
    1.0.0:
      get: {read: NAME.get, args: {a: string, b: {type: string, optional: true}, c: string, d: string, e: {type: string, optional: true}}}
      post: {read: NAME.post, args: {a: string, b: {type: string, optional: true}, c: {type: number, optional: true}, n: integer, f: boolean}}
      each: {read: NAME.each, args: {ids: {list: string}, a: string, b: {type: string, optional: true}}, each: {ids: id}, as: list}
      many: {read: NAME.many, args: {ids: {list: number}, a: string, b: {type: string, optional: true}}, each: {ids: id}, as: list}
`
	twice := func(text string) string {
		return strings.NewReplacer("NAME", "kept", "CACHE", "{ttl: 1h}").Replace(text) + strings.NewReplacer("NAME", "fresh", "CACHE", "off").Replace(text)
	}
	return "sources:" + twice(source) + "services:" + twice(service)
}

// echo says all that it is asked, for each of many too.
func echo(r *http.Request) (int, string) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return http.StatusInternalServerError, ""
	}
	body := string(text)
	asked, _ := json.Marshal([]string{r.URL.EscapedPath(), r.URL.Query().Get("b"), r.URL.RawQuery, r.Header.Get("X-E"), fmt.Sprint(r.Header["X-E"] != nil), body})
	if !strings.HasPrefix(r.URL.Path, "/e/") {
		return http.StatusOK, string(asked)
	}
	var told struct {
		IDs []json.RawMessage `json:"ids"`
		B   json.RawMessage   `json:"b"`
	}
	if r.Method == http.MethodGet {
		for id := range strings.SplitSeq(r.URL.Query().Get("ids"), ",") {
			quoted, _ := json.Marshal(id)
			told.IDs = append(told.IDs, quoted)
		}
		told.B, _ = json.Marshal(r.URL.Query()["b"])
	} else if err := json.Unmarshal([]byte(body), &told); err != nil {
		return http.StatusInternalServerError, ""
	}
	var list []string
	for _, id := range told.IDs {
		list = append(list, fmt.Sprintf(`{"id":%s,"b":[%s],"path":%q}`, id, told.B, r.URL.EscapedPath()))
	}
	list = append(list, `{"id":"nobody asked for it","b":[],"path":""}`)
	return http.StatusOK, `{"list":[` + strings.Join(list, ",") + `]}`
}

// confusable are values that a careless key or request takes for one another.
var confusable = [][]string{
	{"", "_", "%_", "%"},
	{"-", "%-", "%25-", "null"},
	{"a", "b", "a/b", "a,b"},
	{"/", "%2F", "%252F", "//"},
	{",", "", ",,", "%2C"},
	{" ", "+", "%20", "a b"},
	{"1", "1.0", "01", "true"},
	{"x", "ax", "xa", "axa"},
	{"&b=1", "=", "?", "{a}"},
	{"é", "É", "e\u0301", "\u0000"},
}

// asker asks at random.
type asker struct {
	*rand.Rand
	texts []string // of some that are confusable
	args  []string
}

func (a *asker) one(from ...string) string { return from[a.IntN(len(from))] }

func (a *asker) text() string {
	quoted, _ := json.Marshal(a.one(a.texts...))
	return string(quoted)
}

func (a *asker) number() string {
	return a.one("1", "1.0", "-1", "0", "-0.0", "1e3", "1000", "9007199254740993", "9007199254740992", "1e300")
}

func (a *asker) list(value func() string) string {
	var values []string
	for range a.IntN(4) {
		values = append(values, value())
	}
	return "[" + strings.Join(values, ",") + "]"
}

func (a *asker) give(name, value string) { a.args = append(a.args, fmt.Sprintf("%q:%s", name, value)) }

// question is a method with its arguments.
func (a *asker) question() (method, args string) {
	a.args = nil
	method = a.one("get", "post", "each", "many")
	first := a.text()
	if first == `""` && method != "post" {
		first = `"a"` // nothing can't stand in a path
	}
	a.give("a", first)
	if a.IntN(3) > 0 {
		a.give("b", a.text())
	}
	switch method {
	case "get":
		a.give("c", a.text())
		a.give("d", a.text())
		if a.IntN(3) > 0 {
			a.give("e", a.one(`"1"`, `""`, `" 1"`))
		}
	case "post":
		if a.IntN(3) > 0 {
			a.give("c", a.number())
		}
		a.give("n", a.one("1", "-1", "9223372036854775807"))
		a.give("f", a.one("true", "false"))
	case "each":
		a.give("ids", a.list(a.text))
	case "many":
		a.give("ids", a.list(a.number))
	}
	return method, "{" + strings.Join(a.args, ",") + "}"
}

// Whatever is asked by whomever at the same time, what is given from memory is what
// the source would say to this very question.
func TestNobodyIsGivenAnothersAnswer(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		m := newMidTier(t, "")
		m.by(echo)
		e := start(t, collide(), m)
		var wg sync.WaitGroup
		for seed := range uint64(8) {
			wg.Go(func() {
				l := e.dial(codec)
				a := &asker{Rand: rand.New(rand.NewPCG(seed, 0))}
				for n := range 300 {
					a.texts = confusable[n/30]
					method, args := a.question()
					p := e.seal(passport.Passport{Profile: a.one("paul", "paul/a", "a"), Level: passport.Recognised})
					want, _ := l.call("fresh."+method, args, p)
					got, _ := l.call("kept."+method, args, p)
					if strings.ReplaceAll(got, "kept", "fresh") != want {
						t.Errorf("%s %s: from memory\n%s\nand from the source\n%s", method, args, got, want)
						return
					}
				}
			})
		}
		wg.Wait()
		for _, c := range e.tier.Caches() {
			if s := c.Stats(); s.Hits < 5 || s.Misses < 100 || s.Failures > 0 {
				t.Errorf("%s: %+v", c.Name(), s)
			}
		}
	})
}
