package declare_test

import (
	"net/http"
	"strings"
	"testing"

	"warmline.dev/protocol"
)

const films = `
sources:
  films:
    url: MID
    retry: off
    breaker: off
    timeout: 10s
    reads:
      film: {get: "/films/{id}", cache: {ttl: 1m}}
      search: {get: "/search?q={q}&from={from}&fixed=1", cache: off}
      top: {get: /top, fallback: {films: []}, cache: off}
      saved: {get: /saved, fallback: [1]}
services:
  films:
    1.0.0:
      film: {read: films.film, args: {id: {type: integer, min: 1, max: 1000}}}
      short: {read: films.film, args: {id: integer}, pick: {name: title, by: made.by, who: made.by, gone: not.there, made: made}}
      search: {read: films.search, args: {q: {type: string, most: 20}, from: {type: number, optional: true}}}
      top: {read: films.top}
      saved: {read: films.saved}
`

const metropolis = `{"id":17,"title":"Metropolis","made":{"by":"Lang","in":[1927,-1]},"rating":8.3,"colour":false,"sequel":null}`

func TestWhatASourceSaysIsGivenInBothCodecs(t *testing.T) {
	m := newMidTier(t, metropolis)
	e := start(t, films, m)
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		l := e.dial(codec)
		l.want("films.film", `{"id":17}`, metropolis)
		l.want("films.short", `{"id":17}`, `{"name":"Metropolis","by":"Lang","who":"Lang","made":{"by":"Lang","in":[1927,-1]}}`)
	})
	m.wantAsked(t, "GET /films/17") // once for all of them
}

func TestNumbersAndTextsStayWhatTheyAre(t *testing.T) {
	m := newMidTier(t, "")
	e := start(t, films, m)
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		l := e.dial(codec)
		for said, given := range map[string]string{
			`9007199254740993`:          `9007199254740993`, // 2^53+1
			`-9223372036854775808`:      `-9223372036854775808`,
			`18446744073709551615`:      `18446744073709551615`,
			`18446744073709551616`:      `18446744073709552000`, // more than 64 bits: a float
			`0.1`:                       `0.1`,
			"\"caf\\u00e9 \\ud83c\"":    "\"café \uFFFD\"",
			"\"\xff\"":                  "\"\uFFFD\"",
			`[]`:                        `[]`,
			`{}`:                        `{}`,
			" {\"a\" : [ 1 , 2 ] }\r\n": `{"a":[1,2]}`,
		} {
			m.says(http.StatusOK, said)
			l.want("films.search", `{"q":"x"}`, given)
		}
	})
}

func TestWhatIsNoAnswer(t *testing.T) {
	m := newMidTier(t, "")
	e := start(t, films, m)
	l := e.dial(protocol.MsgPack)
	for said, why := range map[string]string{
		`<html>`:      "ERROR unavailable source films: …not what was expected: jsontext: invalid character…",
		``:            "ERROR unavailable source films: …unexpected EOF…",
		`{"a":1`:      "ERROR unavailable source films: …unexpected EOF…",
		`{} {}`:       "ERROR unavailable source films: …more than one value",
		`1e999`:       "ERROR unavailable source films: …the number 1e999: value out of range",
		`{"a":1,"a"}`: `ERROR unavailable source films: …duplicate object member name…`,
		strings.Repeat("[", 100) + strings.Repeat("]", 100): "ERROR unavailable source films: …deeper than 24",
		"[" + strings.Repeat("0,", 200_000) + "0]":          "ERROR unavailable source films: …more than 100000 values",
	} {
		m.says(http.StatusOK, said)
		l.want("films.search", `{"q":"x"}`, why)
	}
	m.says(http.StatusNotFound, `{"error":{"message":"no such film"}}`)
	l.want("films.film", `{"id":1}`, "ERROR not_found source films: no such film")
	m.says(http.StatusOK, `[1]`)
	l.want("films.short", `{"id":2}`, "ERROR unavailable source films: its answer is not what was expected: it is no mapping…")
	m.says(http.StatusOK, `null`)
	l.want("films.short", `{"id":3}`, "null")
}

func TestManyNamesInOneMapping(t *testing.T) {
	m := newMidTier(t, "")
	e := start(t, films, m)
	l := e.dial(protocol.MsgPack)
	name := func(i int) string { return `"` + strings.Repeat("n", i) + `":1` }
	var names []string
	for i := range 40 {
		names = append(names, name(i))
	}
	large := "{" + strings.Join(names, ",") + "}"
	m.says(http.StatusOK, large)
	l.want("films.search", `{"q":"x"}`, large)
	for _, i := range []int{0, 15, 16, 39} {
		m.says(http.StatusOK, "{"+strings.Join(append(names[:40:40], name(i)), ",")+"}")
		l.want("films.search", `{"q":"x"}`, "ERROR unavailable …duplicate object member name…")
	}
}

func TestArguments(t *testing.T) {
	m := newMidTier(t, `"found"`)
	e := start(t, films, m)
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		l := e.dial(codec)
		for args, why := range map[string]string{
			``:                   `arguments of films.film: id is missing; expected {"id":integer}`,
			`null`:               `arguments of films.film: id is missing; expected {"id":integer}`,
			`{"id":null}`:        `arguments of films.film: id is missing; expected {"id":integer}`,
			`{"id":"17"}`:        `arguments of films.film: id is not an integer; expected {"id":integer}`,
			`{"id":1.5}`:         `arguments of films.film: id is not an integer; expected {"id":integer}`,
			`{"id":[17]}`:        `arguments of films.film: id is not an integer; expected {"id":integer}`,
			`{"film":17}`:        `arguments of films.film: there is no argument "film"; expected {"id":integer}`,
			`{"id":17,"film":1}`: `arguments of films.film: there is no argument "film"; expected {"id":integer}`,
			`[17]`:               `arguments of films.film: they are not a mapping; expected {"id":integer}`,
			`{"id":0}`:           `id is 0, expected 1 to 1000`,
			`{"id":1001}`:        `id is 1001, expected 1 to 1000`,
		} {
			l.want("films.film", args, "ERROR invalid_argument "+why)
		}
		l.want("films.search", `{"q":"`+strings.Repeat("x", 21)+`"}`, "ERROR invalid_argument q has 21 bytes, expected at most 20")
		l.want("films.search", `{"q":true}`, `ERROR invalid_argument …expected {"q":string,"from":number}`)
		m.wantAsked(t)

		// What is optional and not given is left out.
		l.want("films.search", `{"q":""}`, `"found"`)
		l.want("films.search", `{"q":"a b","from":2}`, `"found"`)
		l.want("films.search", `{"q":"a b","from":2.5}`, `"found"`)
		m.wantAsked(t, "GET /search?q=&fixed=1", "GET /search?q=a+b&from=2&fixed=1", "GET /search?q=a+b&from=2.5&fixed=1")
	})
}

func TestAStaticValueInsteadOfAFailure(t *testing.T) {
	m := newMidTier(t, `{"films":[17]}`)
	e := start(t, films, m)
	l := e.dial(protocol.JSON)
	l.want("films.top", "", `{"films":[17]}`)
	m.says(http.StatusInternalServerError, "")
	l.want("films.top", "", `{"films":[]}`)
	l.want("films.saved", "", `[1]`)
	m.says(http.StatusNotFound, "")
	l.want("films.top", "", "ERROR not_found …")
}
