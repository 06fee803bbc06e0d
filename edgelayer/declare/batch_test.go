package declare_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"warmline.dev/protocol"
)

const lists = `
sources:
  films:
    url: MID
    timeout: 10s
    retry: off
    breaker: off
    reads:
      film: {get: "/films?ids={id}", batch: {each: id, most: 3, within: 20ms, items: data.films, key: of.id}}
      again: {get: "/films?id={id}&all=1", batch: {each: id, within: 20ms, items: ., key: id, repeat: true}}
      body: {post: /films, body: {ids: "{id}", all: true}, batch: {each: id, within: 20ms, items: ., key: id}, cache: off}
      one: {get: "/films/{id}", cache: off}
      spare: {get: "/spare/{id}", cache: off, fallback: {title: unknown}}
services:
  films:
    1.0.0:
      films: {read: films.film, args: {ids: {list: integer, most: 10}}, each: {ids: id}, as: films, pick: [title]}
      film: {read: films.film, args: {id: integer}}
      again: {read: films.again, args: {names: {list: string}}, each: {names: id}, as: list}
      body: {read: films.body, args: {ids: {list: integer}}, each: {ids: id}, as: list}
      one: {read: films.one, args: {ids: {list: number, optional: true}}, each: {ids: id}, as: list}
      spare: {read: films.spare, args: {ids: {list: boolean}}, each: {ids: id}, as: list, pick: [title]}
`

func filmsOf(r *http.Request) (int, string) {
	var items []string
	for _, id := range strings.Split(r.URL.Query().Get("ids"), ",") {
		if id != "4" { // there is no such film
			items = append(items, fmt.Sprintf(`{"of":{"id":%s},"title":"film %[1]s"}`, id))
		}
	}
	slices.Reverse(items)
	return http.StatusOK, `{"data":{"films":[` + strings.Join(items, ",") + `,{"of":{"id":99},"title":"nobody asked"}]}}`
}

func TestManyAtOnceInTheOrderAsked(t *testing.T) {
	m := newMidTier(t, "")
	m.by(filmsOf)
	e := start(t, lists, m)
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		l := e.dial(codec)
		l.want("films.films", `{"ids":[3,4,1,3]}`, `{"films":[{"title":"film 3"},{"title":"film 1"},{"title":"film 3"}]}`)
		l.want("films.film", `{"id":1}`, `{"of":{"id":1},"title":"film 1"}`)
		l.want("films.film", `{"id":4}`, "ERROR not_found …")
		l.want("films.films", `{"ids":[]}`, `{"films":[]}`)
		l.want("films.films", `{"ids":[4]}`, `{"films":[]}`)
	})
	m.wantAsked(t, "GET /films?ids=3,4,1")
	l := e.dial(protocol.JSON)
	l.want("films.films", `{"ids":[1,2,3,4,5,6,7]}`, `{"films":[{"title":"film 1"},{"title":"film 2"},{"title":"film 3"},{"title":"film 5"},{"title":"film 6"},{"title":"film 7"}]}`)
	m.mu.Lock()
	slices.Sort(m.asked) // they went out together
	m.mu.Unlock()
	m.wantAsked(t, "GET /films?ids=2,5,6", "GET /films?ids=7")
	l.want("films.films", `{"ids":[1,2,3,4,5,6,7,8,9,10,11]}`, "ERROR invalid_argument …ids has 11 elements, expected at most 10…")
	l.want("films.films", `{"ids":[1,"2"]}`, `ERROR invalid_argument …ids is not an integer; expected {"ids":[integer]}`)
	l.want("films.films", `{"ids":7}`, `ERROR invalid_argument …ids is not a list; expected {"ids":[integer]}`)
}

func TestCallsThatAskAtOnceAskTogether(t *testing.T) {
	m := newMidTier(t, "")
	m.by(filmsOf)
	e := start(t, strings.ReplaceAll(lists, "within: 20ms", "within: 1s"), m)
	var calls sync.WaitGroup
	for i := range 3 { // as many as one request takes
		l := e.dial(protocol.MsgPack)
		calls.Go(func() {
			l.want("films.films", fmt.Sprintf(`{"ids":[%d]}`, i+1), fmt.Sprintf(`{"films":[{"title":"film %d"}]}`, i+1))
		})
	}
	calls.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.asked) != 1 {
		t.Errorf("the source was asked %q, want one request", m.asked)
	}
}

func TestWaysToAskForMany(t *testing.T) {
	m := newMidTier(t, `[{"id":"a,b"},{"id":"c%d"},{"id":1},{"id":2}]`)
	e := start(t, lists, m)
	l := e.dial(protocol.JSON)
	l.want("films.again", `{"names":["a,b","c%d","2"]}`, `{"list":[{"id":"a,b"},{"id":"c%d"},{"id":2}]}`)
	m.wantAsked(t, "GET /films?id=a%2Cb&id=c%25d&id=2&all=1")
	l.want("films.body", `{"ids":[2,1]}`, `{"list":[{"id":2},{"id":1}]}`)
	m.wantAsked(t, `POST /films {"ids":[2,1],"all":true}`)
}

func TestAnAnswerThatIsNotTheListItShouldBe(t *testing.T) {
	m := newMidTier(t, "")
	e := start(t, lists, m)
	l := e.dial(protocol.JSON)
	for said, why := range map[string]string{
		`{}`:                               "nothing is at data.films, expected a list",
		`{"data":[]}`:                      "nothing is at data.films, expected a list",
		`{"data":{"films":{}}}`:            "what is at data.films is no list",
		`{"data":{"films":[{"id":1}]}}`:    "item 0 of data.films does not say at of.id which one it is",
		`{"data":{"films":[{"of":[]},1]}}`: "item 0 of data.films does not say at of.id which one it is",
	} {
		m.says(http.StatusOK, said)
		l.want("films.films", `{"ids":[1]}`, "ERROR unavailable source films: its answer is not what was expected: "+why)
	}
	m.says(http.StatusOK, `{"data":{"films":null}}`)
	l.want("films.films", `{"ids":[1]}`, `{"films":[]}`)
}

func TestWhatIsThereIsGivenBesideWhatFailed(t *testing.T) {
	m := newMidTier(t, "")
	m.by(func(r *http.Request) (int, string) {
		switch r.URL.Path {
		case "/films/2":
			return http.StatusServiceUnavailable, `{"error":{"message":"not today"}}`
		case "/films/3.5":
			return http.StatusNotFound, ""
		case "/spare/true":
			return http.StatusInternalServerError, ""
		}
		return http.StatusOK, `{"title":"one"}`
	})
	e := start(t, lists, m)
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		l := e.dial(codec)
		l.want("films.one", `{"ids":[2,1,3.5]}`, `{"list":[{"title":"one"}],"errors":[{"key":2,"code":"unavailable","message":"source films: not today","retry":false}]}`)
		l.want("films.one", `{"ids":[2,3.5]}`, `{"list":[],"errors":[{"key":2,"code":"unavailable","message":"source films: not today","retry":false}]}`)
		l.want("films.one", `{"ids":[2,2]}`, `ERROR unavailable source films: not today`)
		l.want("films.one", ``, `{"list":[]}`)
		l.want("films.spare", `{"ids":[true,false]}`, `{"list":[{"title":"unknown"},{"title":"one"}]}`)
	})
}

func TestNothingIsKeptWhereTheCacheIsOff(t *testing.T) {
	m := newMidTier(t, `[{"id":1}]`)
	e := start(t, lists, m)
	l := e.dial(protocol.JSON)
	for range 2 {
		l.want("films.body", `{"ids":[1]}`, `{"list":[{"id":1}]}`)
	}
	m.wantAsked(t, `POST /films {"ids":[1],"all":true}`, `POST /films {"ids":[1],"all":true}`)
	var names []string
	for _, c := range e.tier.Caches() {
		names = append(names, c.Source()+"."+c.Name())
	}
	if got := fmt.Sprint(names); got != "[films.film films.again]" {
		t.Errorf("caches %s", got)
	}
}

// What came with an answer that was garbage in the end is not taken.
func TestAnAttemptThatFailedLeavesNothing(t *testing.T) {
	m := newMidTier(t, "")
	answers := []string{`[{"id":1},{}]`, `[{"id":2}]`}
	m.by(func(*http.Request) (int, string) {
		m.mu.Lock()
		defer m.mu.Unlock()
		answer := answers[0]
		answers = answers[1:]
		return http.StatusOK, answer
	})
	e := start(t, strings.Replace(lists, "retry: off", "retry: {attempts: 2}", 1), m)
	e.dial(protocol.JSON).want("films.body", `{"ids":[1,2]}`, `{"list":[{"id":2}]}`)
}
