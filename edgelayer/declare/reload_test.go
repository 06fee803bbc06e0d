package declare_test

import (
	"bytes"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tinylib/msgp/msgp"

	"warmline.dev/edgelayer/declare"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/protocol"
)

const first = `
sources:
  a: {url: MID, timeout: 10s, reads: {film: {get: "/a/films/{id}", cache: {ttl: 1h}}, list: {get: "/a/list", cache: {ttl: 1h}}}}
  b: {url: MID, timeout: 10s, reads: {film: {get: "/b/films/{id}", cache: {ttl: 1h}}}}
services:
  films:
    1.0.0:
      a: {read: a.film, args: {id: integer}}
      b: {read: b.film, args: {id: integer}}
      list: {read: a.list}
      forget: {write: a, post: /forget, invalidates: {a.film: "*"}}
`

// offer goes over to the next declaration, as an edge that is reloaded does.
func (e *edge) offer(text string, m *midTier) *declare.Tier {
	e.t.Helper()
	next, err := e.tier.Next(parse(e.t, text, m))
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(next.Close)
	if err := e.srv.Offer(next.Services()...); err != nil {
		e.t.Fatal(err)
	}
	before := e.tier
	e.tier = next
	return before
}

func TestAReloadKeepsWhatIsWarm(t *testing.T) {
	for name, tt := range map[string]struct {
		from, to string // what is changed
		asked    []string
	}{
		"nothing":                {"", "", nil},
		"a cache's policy":       {`"/a/films/{id}", cache: {ttl: 1h}`, `"/a/films/{id}", cache: {ttl: 2h, bytes: 1MiB}`, nil},
		"a source's policy":      {"a: {url: MID, timeout: 10s", "a: {url: MID, timeout: 11s", nil},
		"what is picked":         {"a: {read: a.film,", "a: {read: a.film, pick: [id],", nil},
		"what is asked for":      {"/a/films/{id}", "/a/films/{id}?all=1", []string{"GET /a/films/1?all=1"}},
		"what is told":           {`"/a/films/{id}",`, `"/a/films/{id}", headers: {X-App: edge},`, []string{"GET /a/films/1"}},
		"that nothing is kept":   {`"/a/films/{id}", cache: {ttl: 1h}`, `"/a/films/{id}", cache: off`, []string{"GET /a/films/1"}},
		"the type of a variable": {"a: {read: a.film, args: {id: integer}}", "a: {read: a.film, args: {id: number}}", []string{"GET /a/films/1"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMidTier(t, `{"id":1}`)
			e := start(t, first, m)
			l := e.dial(protocol.JSON)
			ask := func() {
				t.Helper()
				l.want("films.a", `{"id":1}`, `{"id":1}`)
				l.want("films.b", `{"id":1}`, `{"id":1}`)
				l.want("films.list", ``, `{"id":1}`)
			}
			ask()
			m.wantAsked(t, "GET /a/films/1", "GET /b/films/1", "GET /a/list")
			before := e.offer(strings.Replace(first, tt.from, tt.to, 1), m)
			ask()
			m.wantAsked(t, tt.asked...)
			before.Retire(e.tier)
			before.Close() // and the next does not miss what it shares
			ask()
			if name != "that nothing is kept" {
				m.wantAsked(t)
			}
			l.want("films.a", `{"id":2}`, `{"id":1}`)
		})
	}
}

// A source that is declared the same goes on with its figures and its breaker.
func TestAReloadSharesWhatHasNotChanged(t *testing.T) {
	m := newMidTier(t, "1")
	e := start(t, first, m)
	before := e.offer(strings.Replace(first, "b: {url: MID, timeout: 10s", "b: {url: MID, timeout: 1s", 1), m)
	old, new := before.Sources(), e.tier.Sources()
	if old[0] != new[0] || old[1] == new[1] {
		t.Error("source a is to be shared, and source b is not")
	}
	if before.Caches()[0] != e.tier.Caches()[0] || before.Caches()[2] == e.tier.Caches()[2] {
		t.Error("the cache of a is to be shared, and that of b is not")
	}
	again := e.offer(strings.Replace(first, "/a/films", "/a/movies", 1), m)
	for i, same := range []bool{false, true, true} {
		was, is := again.Shape(again.Caches()[i]), e.tier.Shape(e.tier.Caches()[i])
		if was == "" || (was == is) != same {
			t.Errorf("cache %d: shape %q and then %q", i, was, is)
		}
	}
	if s := before.Shape(e.tier.Caches()[0]); s != "" {
		t.Errorf("the shape of a cache of another tier is %q", s)
	}
}

func TestOldAndNewForgetTogether(t *testing.T) {
	m := newMidTier(t, "1")
	e := start(t, first, m)
	l := e.dial(protocol.JSON)
	l.want("films.a", `{"id":1}`, "1")
	before := e.offer(strings.Replace(first, `"/a/films/{id}", cache: {ttl: 1h}`, `"/a/films/{id}", cache: {ttl: 2h}`, 1), m)
	m.says(http.StatusOK, "2")
	l.want("films.a", `{"id":1}`, "1")
	if n := before.Invalidate(warm.Invalidation{Source: "a", All: true}); n != 2 {
		t.Errorf("%d values were dropped, want one in the old cache and one in the new", n)
	}
	l.want("films.a", `{"id":1}`, "2")
	m.says(http.StatusOK, "3")
	l.want("films.forget", "", "3")
	if n := before.Caches()[0].Stats().Entries; n != 0 {
		t.Errorf("the old cache has %d entries, want none", n)
	}
}

// What changes while a reload takes over what is warm is not taken over.
func TestWhatIsTakenOverIsNotOutdated(t *testing.T) {
	var version atomic.Int64
	cfg := declare.Config{Grace: -1, Client: &http.Client{Transport: answers(func() string { return strconv.FormatInt(version.Load(), 10) })}}
	d := func(ttl int) *declare.Declaration {
		t.Helper()
		d, err := declare.Parse("edge.yaml", []byte(strings.NewReplacer("MID", "http://films", "1h", strconv.Itoa(ttl)+"h").Replace(first)))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	tier, err := declare.New(d(1), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for i := range 5000 { // it takes its time
		keys = append(keys, strconv.Itoa(i))
	}
	if n := tier.Caches()[0].Warm(t.Context(), keys); n != len(keys) {
		t.Fatalf("%d values", n)
	}
	for round := range 10 {
		some := keys[50*round:][:50]
		for _, key := range some { // as new as can be
			tier.Invalidate(warm.Invalidation{Source: "a", Key: key})
			if _, err := tier.Caches()[0].Get(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			version.Add(1)
			for _, key := range some {
				tier.Invalidate(warm.Invalidation{Source: "a", Key: key})
				time.Sleep(200 * time.Microsecond)
			}
		})
		next, err := tier.Next(d(2 + round))
		if err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		for _, key := range some {
			v, err := next.Caches()[0].Get(t.Context(), key)
			if got, _, _ := msgp.ReadInt64Bytes(v); err != nil || got != version.Load() {
				t.Errorf("round %d: %s is %d, %v, want %d", round, key, got, err, version.Load())
			}
		}
		tier.Retire(next)
		tier = next
	}
	tier.Close()
}

type answers func() string

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(a()))}, nil
}

// However often is reloaded, nothing is left of it after a while but the last one.
func TestHundredsOfReloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := declare.Config{Client: &http.Client{Transport: answers(func() string { return "1" })}}
		d := func(n int) *declare.Declaration { // all of it changes each time
			text := strings.NewReplacer("MID", "http://films", "1h", strconv.Itoa(n+1)+"h", "10s", strconv.Itoa(n+1)+"s").Replace(first)
			d, err := declare.Parse("edge.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		tier, err := declare.New(d(0), cfg)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		before := goroutines()
		var caches []*warm.Cache[protocol.Raw]
		for n := range 300 {
			next, err := tier.Next(d(n + 1))
			if err != nil {
				t.Fatal(err)
			}
			caches = append(caches, tier.Caches()...)
			tier.Retire(next)
			tier = next
			if _, err := tier.Caches()[0].Get(t.Context(), strconv.Itoa(n%50)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := goroutines(); n > before+5 {
			t.Errorf("%d goroutines, %d before", n, before)
		}
		for _, c := range caches {
			if _, err := c.Get(t.Context(), "new"); err == nil {
				t.Fatal("a cache that was replaced goes on")
			}
		}
		if n := tier.Caches()[0].Stats().Entries; n != 50 {
			t.Errorf("%d values are there, want all of 50", n)
		}
		if n := tier.Invalidate(warm.Invalidation{Source: "a", All: true}); n != 50 {
			t.Errorf("%d values were dropped: what was replaced holds some still", n)
		}
		tier.Close()
	})
}

// Conversations go on with what they began with, for a while.
func TestARetiredTierGoesOnForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := declare.Config{Client: &http.Client{Transport: answers(func() string { return "1" })}}
		d := func(path string) *declare.Declaration {
			d, err := declare.Parse("edge.yaml", []byte(strings.NewReplacer("MID", "http://films", "/films", path).Replace(first)))
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		check := func(next *declare.Tier, err error) *declare.Tier {
			if err != nil {
				t.Fatal(err)
			}
			return next
		}
		key := 0
		reads := func(tier *declare.Tier) bool { // what is not there yet
			key++
			_, err := tier.Caches()[0].Get(t.Context(), strconv.Itoa(key))
			return err == nil
		}
		old := check(declare.New(d("/1"), cfg))
		next := check(old.Next(d("/2")))
		old.Retire(next)
		time.Sleep(29 * time.Second)
		if !reads(old) {
			t.Error("the old tier is closed before its time")
		}
		time.Sleep(2 * time.Second)
		if reads(old) || !reads(next) {
			t.Error("the old tier goes on for ever, or the next one with it")
		}
		last := check(next.Next(d("/3")))
		next.Retire(last)
		last.Close()
		if reads(next) {
			t.Error("the old tier goes on without the last one")
		}
		last.Close()
	})
}

func TestAnotherURL(t *testing.T) {
	m, other := newMidTier(t, "1"), newMidTier(t, "2")
	d := parse(t, first, m)
	for _, tt := range []struct {
		name string
		urls []string
		why  string
	}{
		{"c", []string{other.URL}, `there is no source "c"; expected one of a, b`},
		{"a", nil, "source a: no URL; expected http://HOST:PORT"},
		{"a", []string{"localhost"}, `source a: url is "localhost"; expected http://HOST:PORT or https://HOST`},
		{"a", []string{other.URL}, ""},
	} {
		if err := d.SetURL(tt.name, tt.urls...); (err == nil) != (tt.why == "") || err != nil && err.Error() != tt.why {
			t.Errorf("%s at %s: %v, want %s", tt.name, tt.urls, err, tt.why)
		}
	}
	e := start(t, first, m)
	l := e.dial(protocol.JSON)
	l.want("films.a", `{"id":1}`, "1")
	l.want("films.b", `{"id":1}`, "1")
	goOver := func(d *declare.Declaration) {
		t.Helper()
		next, err := e.tier.Next(d)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(next.Close)
		if err := e.srv.Offer(next.Services()...); err != nil {
			t.Fatal(err)
		}
		e.tier = next
	}
	goOver(d) // what the one before said is not what this one says
	l.want("films.a", `{"id":1}`, "2")
	l.want("films.b", `{"id":1}`, "1")
	other.says(http.StatusOK, "3")
	both := parse(t, first, m)
	if err := both.SetURL("a", other.URL, m.URL); err != nil {
		t.Fatal(err)
	}
	goOver(both) // one more of the same
	l.want("films.a", `{"id":1}`, "2")
}

// goroutines is how many there are in bubbles: those of other tests may yet be ending.
func goroutines() int {
	all := make([]byte, 1<<20)
	return bytes.Count(all[:runtime.Stack(all, true)], []byte("synctest bubble"))
}
