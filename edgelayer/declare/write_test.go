package declare_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/declare"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/await"
	"warmline.dev/internal/serving"
	"warmline.dev/nodelayer"
	"warmline.dev/passport"
	"warmline.dev/protocol"
	"warmline.dev/protocol/peers"
)

const writes = `
sources:
  s:
    url: MID
    timeout: 10s
    breaker: off
    reads:
      profile: {get: "/profiles/{passport.profile}"}
      rating: {get: "/ratings/{passport.profile}/{video}"}
      top: {get: /top}
services:
  profiles:
    1.0.0:
      current: {read: s.profile, pick: [id], passport: {customer: owner.id, country: country}}
  ratings:
    1.0.0:
      rating: {read: s.rating, args: {video: integer}}
      rate:
        write: s
        put: /ratings/{passport.profile}/{video}
        headers: {X-Why: "{why}"}
        args: {video: integer, stars: number, why: {type: string, optional: true}, tags: {list: string, default: [a]}}
        body: {stars: "{stars}", text: "{stars} stars", tags: "{tags}", by: "{passport.profile}", why: "{why}", also: [1, "{why}"]}
        pick: [stars]
        invalidates: {s.rating: "{passport.profile}/{video}", s.top: "*"}
      forget: {write: s, delete: "/ratings/{passport.profile}", invalidates: {s.rating: "{passport.profile}/*"}}
      forgetAll: {write: s, post: /forget, invalidates: {s.rating: "*"}}
  top:
    1.0.0:
      top: {read: s.top}
  plans:
    1.0.0:
      signIn: {write: s, post: /sign-in, args: {password: string}, body: {password: "{password}"}, pick: [plan], passport: {customer: id, plan: plan, preferences.language: lang, level: authenticated}}
      signOut: {write: s, post: /sign-out, passport: {level: anonymous}}
      change: {write: s, patch: "/plans/{passport.customer}", args: {plan: string}, body: "{plan}", passport: {plan: plan}}
`

func TestWhatASourceIsToldByAWrite(t *testing.T) {
	m := newMidTier(t, `{"stars":4.5,"more":1}`)
	e := start(t, writes, m)
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		l := e.dial(codec)
		l.wantFor(passportOf("c", "paul/a"), "ratings.rate", `{"video":17,"stars":4.5,"why":"fine","tags":["x","\"y"]}`, `{"stars":4.5}`)
		if m.header("X-Why") != "fine" {
			t.Error("no header")
		}
		m.wantAsked(t, `PUT /ratings/paul%2Fa/17 {"stars":4.5,"text":"4.5 stars","tags":["x","\"y"],"by":"paul/a","why":"fine","also":[1,"fine"]}`)
		l.wantFor(passportOf("c", "paul"), "ratings.rate", `{"video":17,"stars":4}`, `{"stars":4.5}`)
		m.wantAsked(t, `PUT /ratings/paul/17 {"stars":4,"text":"4 stars","tags":["a"],"by":"paul","also":[1]}`)
	})
	l := e.dial(protocol.JSON)
	m.says(http.StatusNoContent, "")
	l.wantFor(passportOf("c", "paul"), "ratings.rate", `{"video":17,"stars":4}`, `null`)
	m.says(http.StatusUnprocessableEntity, `{"error":{"message":"at most 5"}}`)
	l.wantFor(passportOf("c", "paul"), "ratings.rate", `{"video":17,"stars":6}`, `ERROR invalid_argument source s: at most 5`)
}

func TestAWriteOutdatesWhatWasRead(t *testing.T) {
	m := newMidTier(t, "")
	version := 1
	m.by(func(r *http.Request) (int, string) {
		m.mu.Lock()
		defer m.mu.Unlock()
		return http.StatusOK, fmt.Sprint(version)
	})
	var mu sync.Mutex
	var told []string
	e := startWith(t, writes, m, declare.Config{Invalidate: func(i warm.Invalidation) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, i.String())
	}})
	l := e.dial(protocol.JSON)
	paul, ada := passportOf("c", "paul/p"), passportOf("c", "ada")
	readAll := func(paul17, paul18, ada17, top string) {
		t.Helper()
		l.wantFor(paul, "ratings.rating", `{"video":17}`, paul17)
		l.wantFor(paul, "ratings.rating", `{"video":18}`, paul18)
		l.wantFor(ada, "ratings.rating", `{"video":17}`, ada17)
		l.want("top.top", "", top)
	}
	now := func(v int) {
		m.mu.Lock()
		defer m.mu.Unlock()
		version = v
	}
	readAll("1", "1", "1", "1")
	now(2)
	readAll("1", "1", "1", "1")
	l.wantFor(paul, "ratings.forget", "", "2")
	readAll("2", "2", "1", "1")
	now(3)
	l.wantFor(paul, "ratings.forgetAll", "", "3")
	readAll("3", "3", "3", "1")
	m.says(http.StatusOK, `{"stars":1}`)
	l.wantFor(paul, "ratings.rate", `{"video":17,"stars":1}`, `{"stars":1}`)
	m.says(http.StatusOK, "4")
	readAll("4", "3", "3", "4")

	// A write that was refused has changed nothing; of one that broke off nobody knows.
	m.by(func(r *http.Request) (int, string) {
		if r.Method == http.MethodDelete {
			return http.StatusForbidden, ""
		}
		return http.StatusOK, "5"
	})
	l.wantFor(paul, "ratings.forget", "", "ERROR forbidden …")
	readAll("4", "3", "3", "4")
	m.by(func(r *http.Request) (int, string) {
		if r.Method == http.MethodDelete {
			return http.StatusInternalServerError, ""
		}
		return http.StatusOK, "6"
	})
	l.wantFor(paul, "ratings.forget", "", "ERROR unavailable …")
	readAll("6", "6", "3", "4")

	mu.Lock()
	defer mu.Unlock()
	want := `["paul%2Fp/"* of s.rating all of s.rating "paul%2Fp/17" of s.rating all of s.top "paul%2Fp/"* of s.rating]`
	if got := fmt.Sprint(told); got != want {
		t.Errorf("told %s\nwant %s", got, want)
	}
}

func TestAnswersCompleteThePassport(t *testing.T) {
	m := newMidTier(t, `{"id":"paul","owner":{"id":1001},"country":"FR"}`)
	e := start(t, writes, m)
	l := e.dial(protocol.MsgPack)
	open := func(md protocol.Metadata) passport.Passport {
		t.Helper()
		p, err := passport.Peek(md.Passport)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	l.wantFor(passportOf("", "paul"), "plans.change", `{"plan":"two"}`, "ERROR forbidden the passport names no customer; ask profiles.current first")
	got, md := l.call("profiles.current", "", e.seal(passportOf("", "paul")))
	if p := open(md); got != `{"id":"paul"}` || p.Customer != "1001" || p.Country != "FR" || p.Origin != "profiles@1.0.0" {
		t.Errorf("%s, %+v", got, p)
	}
	// It is changed only where it differs.
	same := passport.Passport{Profile: "paul", Customer: "1001", Country: "FR", Level: passport.Recognised}
	if _, md := l.call("profiles.current", "", e.seal(same)); len(md.Passport) != 0 {
		t.Error("a passport that says the same was changed")
	}
	// What was changed counts, whatever a source says that has not heard of it.
	m.says(http.StatusOK, `{"id":"ada","owner":{"id":1002},"country":"SE"}`)
	same.Profile, same.Country = "ada", ""
	if _, md := l.call("profiles.current", "", e.seal(same)); open(md).Customer != "1001" || open(md).Country != "SE" {
		t.Errorf("%+v, want the customer as it was, and a country", open(md))
	}
	m.says(http.StatusOK, `{"plan":"two"}`)
	if _, md := l.call("plans.change", `{"plan":"two"}`, e.seal(same)); open(md).Plan != "two" {
		t.Error("the plan is not in the passport")
	}
}

// Who may not change passports reads what would complete them, and can't write what
// changes them.
func TestAPeerThatMayNotChangePassports(t *testing.T) {
	m := newMidTier(t, `{"id":"paul","owner":{"id":1001},"country":"FR","plan":"two"}`)
	e := start(t, writes, m)
	const secret = "warmline_readers"
	of, err := peers.New(peers.Peer{Name: "readers", Tokens: []peers.Hash{peers.HashToken(secret)}, Calls: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := edgelayer.New(edgelayer.Config{Services: e.tier.Services(), Keys: e.keys, Peers: of})
	if err != nil {
		t.Fatal(err)
	}
	node, err := nodelayer.Dial(await.Context(t), nodelayer.Config{
		Edges: []string{serving.Start(t, srv.Serve, srv.Close)}, Credentials: nodelayer.Credentials{Token: func() string { return secret }},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	carrier := passport.NewCarrier(e.seal(passportOf("", "paul")))
	ctx := passport.NewContext(await.Context(t), carrier)
	if got, err := nodelayer.Ask[map[string]any](ctx, node, "profiles.current", nil); err != nil || got["id"] != "paul" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := nodelayer.Ask[map[string]any](ctx, node, "plans.signIn", map[string]any{"password": "popcorn"}); err == nil || protocol.AsError(err).Code != protocol.Forbidden {
		t.Errorf("%v", err)
	}
	if carrier.Changed() {
		t.Error("the passport was changed")
	}
	m.wantAsked(t, "GET /profiles/paul") // and nothing was written
}

// A write can sign a device in and out: the level is said by the declaration, not by
// the answer.
func TestAWriteSignsInAndOut(t *testing.T) {
	m := newMidTier(t, `{"id":1001,"plan":"two","lang":"sv","level":"root"}`)
	e := start(t, writes, m)
	l := e.dial(protocol.MsgPack)
	after := func(method, args string, before passport.Passport, answer string) passport.Passport {
		t.Helper()
		got, md := l.call(method, args, e.seal(before))
		if got != answer {
			t.Errorf("%s: %s, want %s", method, got, answer)
		}
		if md.Passport == nil {
			return before
		}
		p, err := passport.Peek(md.Passport)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	in := after("plans.signIn", `{"password":"popcorn"}`, passport.Passport{Device: "tv"}, `{"plan":"two"}`)
	if in.Customer != "1001" || in.Plan != "two" || in.Preferences["language"] != "sv" || in.Level != passport.Authenticated || in.Device != "tv" {
		t.Errorf("%+v", in)
	}
	if out := after("plans.signOut", "", in, `{"id":1001,"plan":"two","lang":"sv","level":"root"}`); out.Level != passport.Anonymous || out.Customer != "" || len(out.Preferences) != 0 || out.Device != "tv" {
		t.Errorf("%+v", out)
	}
	// A password that is wrong is the device's fault, and changes nothing.
	m.says(http.StatusUnauthorized, `{"error":{"message":"no such customer, or another password"}}`)
	if still := after("plans.signIn", `{"password":"popcorm"}`, passport.Passport{}, "ERROR unauthenticated source s: no such customer, or another password"); still.Level != passport.Anonymous {
		t.Errorf("%+v", still)
	}
	// Of a read it is the edge's own: nobody is asked to sign in.
	l.wantFor(passportOf("c", "paul"), "top.top", "", "ERROR unavailable source s: …")
}

// A conversation sees what it has written itself, also through other services.
func TestAConversationSeesItsWrites(t *testing.T) {
	m := newMidTier(t, "1")
	e := start(t, writes, m)
	node, err := nodelayer.Dial(await.Context(t), nodelayer.Config{Edges: []string{e.addr}})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	ctx := passport.NewContext(await.Context(t), passport.NewCarrier(e.seal(passportOf("c", "paul"))))
	conv := node.Converse(ctx)
	defer conv.Close()
	top := func(ctx context.Context) int {
		t.Helper()
		n, err := nodelayer.Call[int](ctx, conv, "top.top", nil)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	first := top(ctx)
	m.says(http.StatusOK, `{"stars":1}`)
	if _, err := nodelayer.Call[map[string]any](ctx, conv, "ratings.rate", map[string]any{"video": 17, "stars": 1}); err != nil {
		t.Fatal(err)
	}
	m.says(http.StatusOK, "2")
	if second := top(ctx); first != 1 || second != 2 {
		t.Errorf("read %d, and %d after the write; want 1 and 2", first, second)
	}
}

// What a source that is in trouble refuses takes nothing from those who live on
// what is kept.
func TestAWriteThatIsNotSentOutdatesNothing(t *testing.T) {
	m := newMidTier(t, "1")
	e := start(t, strings.Replace(writes, "breaker: off", "breaker: {requests: 2, failures: 50%, open_for: 1h}\n    retry: off", 1), m)
	l := e.dial(protocol.JSON)
	paul := passportOf("c", "paul")
	l.wantFor(paul, "ratings.rating", `{"video":17}`, "1")
	m.says(http.StatusInternalServerError, "")
	l.wantFor(paul, "ratings.rating", `{"video":18}`, "ERROR unavailable …")
	l.wantFor(paul, "ratings.forget", "", "ERROR unavailable …left alone…")
	l.wantFor(paul, "ratings.rating", `{"video":17}`, "1")
}
