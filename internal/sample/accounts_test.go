package sample

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// told collects events.
type told struct {
	mu     sync.Mutex
	events []Event
}

func (l *told) add(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

// take returns what has come since the last time.
func (l *told) take() []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	events := l.events
	l.events = nil
	return events
}

// beginTold is begin with a listener.
func beginTold(t *testing.T) (*Services, *told) {
	t.Helper()
	l := &told{}
	s, err := Start(Config{Latency: -1, OnAccount: l.add})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, s) })
	return s, l
}

// accountOf decodes a good answer.
func accountOf(t *testing.T, r reply) account {
	t.Helper()
	var a account
	if err := json.Unmarshal([]byte(r.body), &a); err != nil || r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	return a
}

// paulsLayout is documented by being here: whoever changes the sample changes it.
const paulsLayout = "054858c27f1c295b8d652102e5a728229b596398352483c26f9e66de1662c4ed"

func TestAccounts(t *testing.T) {
	url := begin(t).URL("accounts") + "/accounts/"
	paul := `{"customer":"c-1001","profile":"paul","plan":"four-stream","country":"FR","preferences":{"autoplay":"on","language":"fr"},"references":{"layout":"` + paulsLayout + `"},"signedOutAt":0`
	want(t, "GET", url+"c-1001", "", 200, paul+"}")
	want(t, "GET", url+"c-1001?profile=paul", "", 200, paul+"}")
	want(t, "GET", url+"c-1001?profile=paul&session=s-1", "", 200, paul+`,"session":{"id":"s-1","good":true}}`)
	if a := accountOf(t, call(t, "GET", url+"c-1004?profile=lars", "")); a.Profile != "lars" || a.Plan != "one-stream" || a.Country != "SE" || a.Preferences["language"] != "sv" || a.Session != nil {
		t.Errorf("%+v", a)
	}
}

// What accounts says of a customer, the others say too.
func TestAccountsAgreeWithTheOthers(t *testing.T) {
	s, l := beginTold(t)
	for _, p := range seedProfiles() {
		a := accountOf(t, call(t, "GET", s.URL("accounts")+"/accounts/"+p.Customer+"?profile="+p.ID, ""))
		var m member
		if err := json.Unmarshal([]byte(call(t, "GET", s.URL("members")+"/members/"+p.Customer, "").body), &m); err != nil {
			t.Fatal(err)
		}
		if a.Customer != p.Customer || a.Profile != p.ID || a.Country != p.Country || a.Plan != m.Plan {
			t.Errorf("%+v, where the others have %+v and %+v", a, p, m)
		}
	}
	if events := l.take(); len(events) > 0 {
		t.Errorf("told without a change: %+v", events)
	}
	before := time.Now().UnixMilli()
	if r := call(t, "PUT", s.URL("members")+"/members/c-1004", `{"plan":"two-stream"}`); r.status != 200 {
		t.Fatal(r.body)
	}
	if a := accountOf(t, call(t, "GET", s.URL("accounts")+"/accounts/c-1004", "")); a.Plan != "two-stream" {
		t.Errorf("after a change: %+v", a)
	}
	events := l.take()
	if len(events) != 1 || events[0].At < before || events[0].At > time.Now().UnixMilli() {
		t.Fatalf("%+v", events)
	}
	if events[0].At = 1; events[0] != (Event{Kind: PlanChanged, Customer: "c-1004", At: 1}) {
		t.Errorf("%+v", events)
	}
	call(t, "PUT", s.URL("members")+"/members/c-1004", `{"plan":"gold"}`)
	call(t, "PUT", s.URL("members")+"/members/c-9", `{"plan":"two-stream"}`)
	if events := l.take(); len(events) > 0 {
		t.Errorf("told of what was refused: %+v", events)
	}
}

func TestSignInAndOut(t *testing.T) {
	s, l := beginTold(t)
	url := s.URL("accounts")
	signIn := func(body string) account {
		t.Helper()
		return accountOf(t, call(t, "POST", url+"/sign-in", body))
	}
	for body, profile := range map[string]string{
		`{"customer":"c-1001","password":"popcorn"}`:                              "paul",
		`{"customer":"c-1001","password":"popcorn","profile":"ada"}`:              "ada",
		`{"email":"ada@example.com","password":"popcorn"}`:                        "ada",
		`{"email":"ada@example.com","password":"popcorn","profile":"paul"}`:       "paul",
		`{"customer":"","email":"paul@example.com","password":"popcorn"}`:         "paul",
		`{"email":"paul@example.com","password":"` + Password + `","profile":""}`: "paul",
	} {
		a := signIn(body)
		asked := accountOf(t, call(t, "GET", url+"/accounts/c-1001?profile="+profile+"&session="+a.Session.ID, ""))
		if a.Profile != profile || fmt.Sprintf("%+v", *a.Session) != fmt.Sprintf("%+v", *asked.Session) || !a.Session.Good || len(a.Session.ID) != 32 {
			t.Errorf("%s: %+v, and then %+v", body, a, asked)
		}
		a.Session, asked.Session = nil, nil
		if fmt.Sprintf("%+v", a) != fmt.Sprintf("%+v", asked) {
			t.Errorf("%s: %+v, and then %+v", body, a, asked)
		}
	}
	good := func(customer, session string) bool {
		t.Helper()
		return accountOf(t, call(t, "GET", url+"/accounts/"+customer+"?session="+session, "")).Session.Good
	}
	one, two, other := signIn(`{"email":"paul@example.com","password":"popcorn"}`).Session.ID, signIn(`{"email":"ada@example.com","password":"popcorn"}`).Session.ID, signIn(`{"email":"yuki@example.com","password":"popcorn"}`).Session.ID
	if one == two {
		t.Error("a session twice")
	}
	if good("c-1003", one) {
		t.Error("another customer's session is good")
	}
	if events := l.take(); len(events) > 0 {
		t.Errorf("told of sign-ins: %+v", events)
	}

	// One session.
	begun := time.Now().UnixMilli()
	r := call(t, "POST", url+"/sign-out", fmt.Sprintf(`{"session":%q}`, one))
	events := l.take()
	if len(events) != 1 || events[0].At < begun || events[0] != (Event{SignedOut, "c-1001", one, events[0].At}) {
		t.Fatalf("%+v", events)
	}
	if want := fmt.Sprintf(`{"customer":"c-1001","session":%q,"signedOutAt":%d}`, one, events[0].At); r.status != 200 || r.body != want {
		t.Errorf("%d %s, want %s", r.status, r.body, want)
	}
	if good("c-1001", one) || !good("c-1001", two) || accountOf(t, call(t, "GET", url+"/accounts/c-1001", "")).SignedOutAt != 0 {
		t.Error("one signed out, and not just that one")
	}

	// One that began before this process did.
	r = call(t, "POST", url+"/sign-out", `{"session":"a0a1"}`)
	if events := l.take(); len(events) != 1 || events[0] != (Event{SignedOut, "", "a0a1", events[0].At}) || !strings.HasPrefix(r.body, `{"session":"a0a1","signedOutAt":`) {
		t.Errorf("%+v, %s", events, r.body)
	}
	if good("c-1001", "a0a1") || !good("c-1001", "a0a2") {
		t.Error("one that was not known signed out, and not just that one")
	}

	// All of a customer.
	r = call(t, "POST", url+"/sign-out-all", `{"customer":"c-1001"}`)
	events = l.take()
	if len(events) != 1 || events[0] != (Event{SignedOutAll, "c-1001", "", events[0].At}) || r.body != fmt.Sprintf(`{"customer":"c-1001","signedOutAt":%d}`, events[0].At) {
		t.Fatalf("%+v, %s", events, r.body)
	}
	a := accountOf(t, call(t, "GET", url+"/accounts/c-1001?session="+two, ""))
	if a.SignedOutAt != events[0].At || a.SignedOutAt < begun || a.Session.Good {
		t.Errorf("%+v, want signed out at %d", a, events[0].At)
	}
	if !good("c-1003", other) || accountOf(t, call(t, "GET", url+"/accounts/c-1003", "")).SignedOutAt != 0 {
		t.Error("another customer was signed out")
	}
	// Whoever signs in again is in.
	again := signIn(`{"email":"paul@example.com","password":"popcorn"}`)
	if !good("c-1001", again.Session.ID) || again.SignedOutAt != a.SignedOutAt {
		t.Errorf("%+v", again)
	}
	// It goes on after a stop.
	if err := s.Stop("accounts"); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart("accounts"); err != nil {
		t.Fatal(err)
	}
	if good("c-1001", two) || !good("c-1001", again.Session.ID) {
		t.Error("forgotten")
	}
}

func TestEventsAsJSON(t *testing.T) {
	for want, e := range map[string]Event{
		`{"kind":"plan_changed","customer":"c-1","at":1}`:               {Kind: PlanChanged, Customer: "c-1", At: 1},
		`{"kind":"signed_out","customer":"c-1","session":"s","at":2}`:   {Kind: SignedOut, Customer: "c-1", Session: "s", At: 2},
		`{"kind":"signed_out_all","customer":"c-1","at":1767323045678}`: {Kind: SignedOutAll, Customer: "c-1", At: 1767323045678},
	} {
		if b, err := json.Marshal(e); err != nil || string(b) != want {
			t.Errorf("%s, %v, want %s", b, err, want)
		}
	}
}

func TestSessionsAreBounded(t *testing.T) {
	s := newSessions()
	first := s.begin("c")
	for i := range maxSessions - 1 {
		s.end(fmt.Sprint("s-", i))
	}
	s.end(first) // no new one
	if s.good(first, "c") || s.good("s-0", "c") || len(s.byID) != maxSessions {
		t.Errorf("%d sessions", len(s.byID))
	}
	last := s.begin("c")
	if !s.good(first, "c") || s.good("s-0", "c") || len(s.byID) != maxSessions {
		t.Errorf("%d sessions, the first is good: %v", len(s.byID), s.good(first, "c"))
	}
	for i := range 3 * maxSessions {
		s.end(fmt.Sprint("t-", i))
	}
	if _, known := s.byID[last]; known || len(s.byID) != maxSessions || len(s.ids) != maxSessions {
		t.Errorf("%d sessions", len(s.byID))
	}
}

func TestObjects(t *testing.T) {
	s := begin(t)
	url := s.URL("accounts")
	var hashes []string
	for _, p := range seedProfiles() {
		hash := accountOf(t, call(t, "GET", url+"/accounts/"+p.Customer+"?profile="+p.ID, "")).References["layout"]
		r := call(t, "GET", url+"/objects/"+hash, "")
		var o object
		if err := json.Unmarshal([]byte(r.body), &o); err != nil || r.status != 200 {
			t.Fatalf("%s: %d %s", p.ID, r.status, r.body)
		}
		if sum := sha256.Sum256([]byte(o.Value)); o.SHA256 != hash || hex.EncodeToString(sum[:]) != hash {
			t.Errorf("%s: %s is the hash of something else", p.ID, hash)
		}
		if len(o.Value) <= 4<<10 || !json.Valid([]byte(o.Value)) {
			t.Errorf("%s: %d bytes, want more than a passport has room for", p.ID, len(o.Value))
		}
		if c := r.header.Get("Cache-Control"); c != "public, max-age=31536000, immutable" {
			t.Errorf("%s: Cache-Control %q", p.ID, c)
		}
		hashes = append(hashes, hash)
	}
	if slices.Sort(hashes); len(slices.Compact(hashes)) != len(seedProfiles()) {
		t.Error("two profiles with the same layout")
	}
	if r := call(t, "GET", url+"/accounts/c-1001", ""); r.header.Get("Cache-Control") != "" {
		t.Error("an account may be kept")
	}
}

// A sign-out answers once whoever listens knows of it.
func TestWhoSignsOutWaitsForWhoListens(t *testing.T) {
	heard, let := make(chan struct{}), make(chan struct{})
	s, err := Start(Config{Latency: -1, OnAccount: func(Event) { close(heard); <-let }})
	if err != nil {
		t.Fatal(err)
	}
	defer end(t, s)
	answered := make(chan reply, 1)
	go func() {
		answered <- send(context.Background(), "POST", s.URL("accounts")+"/sign-out-all", `{"customer":"c-1001"}`)
	}()
	<-heard
	// It holds up nobody else, and what it is told is so already.
	if a := accountOf(t, call(t, "GET", s.URL("accounts")+"/accounts/c-1001", "")); a.SignedOutAt == 0 {
		t.Errorf("%+v", a)
	}
	select {
	case r := <-answered:
		t.Errorf("answered already: %+v", r)
	default:
	}
	close(let)
	if r := <-answered; r.status != 200 {
		t.Errorf("%+v", r)
	}
}
