package identity_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/nodelayer/gateway/identity"
	"warmline.dev/passport"
	"warmline.dev/passport/cookie"
	"warmline.dev/passport/revocation"
	"warmline.dev/protocol"
)

func asItIs(*cookie.Cookie) {}

func TestWithoutACookieARequestIsForNobody(t *testing.T) {
	s := start(t, time.Hour, identity.Config{})
	if got := s.device().get("/tv/who"); got.status != 200 || got.who.Level != passport.Anonymous || got.who.Customer != "" || got.set != "" {
		t.Errorf("%+v", got)
	}
	s.want(map[string]uint64{"anonymous": 1})
}

func TestAnyoneDecidesForThoseWithoutACookie(t *testing.T) {
	s := start(t, time.Hour, identity.Config{Anyone: func(r *http.Request) (passport.Passport, error) {
		return passport.Passport{Profile: r.URL.Query().Get("profile"), Level: passport.Recognised}, nil
	}})
	if got := s.device().get("/tv/who?profile=paul"); got.who.Profile != "paul" || got.who.Level != passport.Recognised {
		t.Errorf("%+v", got)
	}
	if got := s.signedIn(asItIs).get("/tv/who?profile=paul"); got.who.Profile != "grown-up" || got.who.Level != passport.Authenticated {
		t.Errorf("with a cookie: %+v", got)
	}
}

func TestATrustedCookieAsksNobody(t *testing.T) {
	s := start(t, time.Hour, identity.Config{})
	d := s.signedIn(asItIs)
	c, err := d.cookie()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		got := d.get("/tv/who")
		if p := got.who; got.status != 200 || p.Customer != "ann" || p.Plan != "premium" || p.Country != "SE" || p.Level != passport.Authenticated ||
			p.Preferences["language"] != "sv" || p.Preferences["session"] != c.Session.String() || got.set != "" {
			t.Errorf("%+v", got)
		}
	}
	if n := s.accounts.questions(); n != 0 {
		t.Errorf("the account source was asked %d times", n)
	}
	s.want(map[string]uint64{"trusted": 3})
}

func TestAStaleCookieIsRenewed(t *testing.T) {
	s := start(t, time.Hour, identity.Config{})
	d := s.signedIn(func(c *cookie.Cookie) {
		c.Begun, c.Issued, c.TrustedUntil = c.Begun.Add(-9*time.Hour), c.Issued.Add(-9*time.Hour), c.TrustedUntil.Add(-9*time.Hour)
	})
	before, err := d.cookie()
	if err != nil {
		t.Fatal(err)
	}
	s.accounts.set(func() {
		p := ann
		p.Plan = "basic"
		s.accounts.of["ann"] = p
	})
	for i := range 3 {
		got := d.get("/tv/who")
		if got.status != 200 || got.who.Plan != "basic" || got.who.Level != passport.Authenticated || (got.set != "") != (i == 0) {
			t.Errorf("%d: %+v", i, got)
		}
	}
	after, err := d.cookie()
	if err != nil || after.Session != before.Session || !after.Begun.Equal(before.Begun) || after.State(time.Now()) != cookie.Trusted || after.Passport.Plan != "basic" {
		t.Errorf("%+v, %v", after, err)
	}
	if _, there := after.Passport.Preferences["session"]; there {
		t.Error("the session is in the cookie twice")
	}
	if n := s.accounts.questions(); n != 1 {
		t.Errorf("the account source was asked %d times", n)
	}
	s.want(map[string]uint64{"renewed": 1, "trusted": 2, "asked": 1})
}

// A page is many requests, and all come with the same cookie: one question.
func TestRequestsAtOnceAskOnce(t *testing.T) {
	s := start(t, -1, identity.Config{})
	d := s.signedIn(asItIs)
	hold := make(chan struct{})
	s.accounts.set(func() { s.accounts.hold = hold })
	value := d.web.Jar.Cookies(d.request("/").URL)[0]
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			r := d.request("/tv/who")
			r.AddCookie(value)
			answer, err := (&http.Client{Transport: d.web.Transport}).Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			answer.Body.Close()
			if answer.StatusCode != 200 {
				t.Errorf("%d", answer.StatusCode)
			}
		})
	}
	time.Sleep(20 * time.Millisecond) // most of them are here; those that are late find the answer
	close(hold)
	wg.Wait()
	if n := s.accounts.questions(); n != 1 {
		t.Errorf("the account source was asked %d times", n)
	}
}

func TestWhileTheAccountSourceIsDownAStaleCookieIsHonoured(t *testing.T) {
	s := start(t, time.Hour, identity.Config{Honour: time.Hour})
	aged := func(by time.Duration) func(*cookie.Cookie) {
		return func(c *cookie.Cookie) {
			c.Begun, c.Issued, c.TrustedUntil = c.Begun.Add(-by), c.Issued.Add(-by), c.TrustedUntil.Add(-by)
		}
	}
	s.accounts.set(func() { s.accounts.fails = errDown })
	d, old := s.signedIn(aged(90*time.Minute)), s.signedIn(aged(3*time.Hour))
	if got := d.get("/tv/who"); got.status != 200 || got.who.Customer != "ann" || got.who.Level != passport.Recognised || got.set != "" {
		t.Errorf("%+v", got)
	}
	if got := old.get("/tv/who"); got.status != 503 || got.set != "" || strings.Contains(got.text, "down") {
		t.Errorf("beyond its time: %+v", got)
	}
	s.want(map[string]uint64{"honoured": 1, "unknown": 1, "asked": 2})
	if !strings.Contains(s.log.String(), "a cookie is honoured") || strings.Contains(s.log.String(), "ann") {
		t.Errorf("the log: %s", s.log)
	}
	s.accounts.set(func() { s.accounts.fails = nil })
	for _, d := range []*device{d, old} {
		if got := d.get("/tv/who"); got.status != 200 || got.who.Level != passport.Authenticated || got.set == "" {
			t.Errorf("when it is back: %+v", got)
		}
	}
}

func TestWhoIsSignedOutAtTheAccountSource(t *testing.T) {
	for _, says := range []protocol.Code{protocol.Unauthenticated, protocol.Forbidden} {
		s := start(t, -1, identity.Config{})
		s.accounts.set(func() { s.accounts.fails = protocol.Errorf(says, "ann is no customer any more") })
		d := s.signedIn(asItIs)
		if got := d.get("/tv/who"); got.status != 401 || !strings.Contains(got.text, "sign in again") || strings.Contains(got.text, "ann") {
			t.Errorf("%v: %+v", says, got)
		}
		if _, err := d.cookie(); !errors.Is(err, cookie.ErrMissing) {
			t.Errorf("%v: the cookie is still there: %v", says, err)
		}
		if got := d.get("/tv/who"); got.status != 200 || got.who.Level != passport.Anonymous {
			t.Errorf("%v: after that: %+v", says, got)
		}
		s.want(map[string]uint64{"signed_out": 1, "anonymous": 1, "asked": 1})
	}
}

// A gateway that asks at a wrong place is told of everybody that there is no such
// account: that signs nobody out.
func TestWhoIsNotFoundIsNotSignedOut(t *testing.T) {
	s := start(t, -1, identity.Config{})
	s.accounts.set(func() { s.accounts.fails = protocol.Errorf(protocol.NotFound, "HTTP 404") })
	d := s.signedIn(asItIs)
	if got := d.get("/tv/who"); got.status != 200 || got.who.Customer != "ann" || got.who.Level != passport.Recognised || got.set != "" {
		t.Errorf("%+v", got)
	}
	s.want(map[string]uint64{"honoured": 1, "asked": 1})
	if !strings.Contains(s.log.String(), "a cookie is honoured") {
		t.Errorf("the log: %s", s.log)
	}
}

func TestAnAnswerForSomebodyElseIsNone(t *testing.T) {
	s := start(t, -1, identity.Config{Honour: -1})
	s.accounts.set(func() { s.accounts.of["ann"] = passport.Passport{Customer: "bob", Level: passport.Authenticated} })
	if got := s.signedIn(asItIs).get("/tv/who"); got.status != 503 {
		t.Errorf("%+v", got)
	}
}

func TestCookiesThatAreNotGoodAreClearedAndRefused(t *testing.T) {
	other, err := cookie.New(cookie.Config{Keys: []passport.Key{passport.NewKey("c1")}, Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	forged, err := other.Seal(other.Begin(ann, time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, time.Hour, identity.Config{})
	sealed := func(change func(*cookie.Cookie)) string {
		c := s.jar.Begin(ann, time.Now())
		change(&c)
		value, err := s.jar.Seal(c)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	good := sealed(asItIs)
	bad := map[string]string{
		"forged": forged, "truncated": good[:len(good)-3], "garbage": "hello", "long": strings.Repeat("A", 20_000),
		"expired":    sealed(func(c *cookie.Cookie) { c.Begun = c.Begun.AddDate(-2, 0, 0) }),
		"the future": sealed(func(c *cookie.Cookie) { c.Issued = c.Issued.Add(time.Hour) }),
	}
	for name, value := range bad {
		d := s.device()
		d.has(value)
		if got := d.get("/tv/who"); got.status != 401 || !strings.Contains(got.set, "Max-Age=0") {
			t.Errorf("%s: %+v", name, got)
		}
		if got := d.get("/tv/who"); got.status != 200 || got.who.Level != passport.Anonymous {
			t.Errorf("%s, after that: %+v", name, got)
		}
	}
	s.want(map[string]uint64{"refused": uint64(len(bad)), "anonymous": uint64(len(bad))})
	if log := s.log.String(); strings.Contains(log, good[:20]) || strings.Contains(log, forged[:20]) {
		t.Error("a cookie is in the log")
	}
}

// The door goes by the jar that there is: a cookie is renewed with the new key, while
// the old one still opens it, and is refused after that.
func TestTheJarIsReplaced(t *testing.T) {
	s := start(t, -1, identity.Config{})
	newer := passport.NewKey("c2")
	of := func(keys ...passport.Key) *cookie.Jar {
		jar, err := cookie.New(cookie.Config{Keys: keys, Insecure: true, Trust: -1})
		if err != nil {
			t.Fatal(err)
		}
		return jar
	}
	staying, leaving := s.signedIn(asItIs), s.signedIn(asItIs)
	s.held.Store(of(newer, cookieKey))
	if got := staying.get("/tv/who"); got.status != 200 || got.who.Customer != "ann" || got.set == "" {
		t.Errorf("the old key still opens: %+v", got)
	}
	s.held.Store(of(newer))
	for range 2 {
		if got := staying.get("/tv/who"); got.status != 200 || got.who.Customer != "ann" {
			t.Errorf("renewed with the new key: %+v", got)
		}
	}
	// What a service changes is in a cookie of the new key, too.
	if got := staying.get("/tv/upgrade?as=family"); got.status != 200 {
		t.Errorf("%+v", got)
	}
	s.jar = of(newer)
	if c, err := staying.cookie(); err != nil || c.Passport.Plan != "family" {
		t.Errorf("%+v, %v", c, err)
	}
	if got := leaving.get("/tv/who"); got.status != 401 || !strings.Contains(got.set, "Max-Age=0") {
		t.Errorf("of the retired key: %+v", got)
	}
}

func TestATokenIsRefusedWhereNoneIsTaken(t *testing.T) {
	s := start(t, time.Hour, identity.Config{})
	d := s.signedIn(asItIs)
	r := d.request("/tv/who")
	r.Header.Set("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30.")
	if got := d.do(r); got.status != 401 || got.set != "" {
		t.Errorf("%+v", got)
	}
}

func TestBadConfig(t *testing.T) {
	if _, err := identity.New(identity.Config{}); err == nil || !strings.Contains(err.Error(), "expected a Config with Cookies and Accounts") {
		t.Errorf("%v", err)
	}
}

// A question that began before it was heard that there is one says nothing: the session
// may have ended in between.
func TestAnAnswerToAnEarlierQuestionDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unheard, err := revocation.NewSet(revocation.SetConfig{Keys: []passport.Key{passport.NewKey("r1")}}) // everyone is in question
		if err != nil {
			t.Fatal(err)
		}
		s := alone(t, time.Hour, identity.Config{Revoked: unheard})
		hold := make(chan struct{})
		s.accounts.set(func() { s.accounts.hold = hold })
		d := s.signedIn(asItIs)
		r := d.request("/")
		r.AddCookie(d.web.Jar.Cookies(r.URL)[0])
		mint := func() <-chan error {
			done := make(chan error, 1)
			go func() {
				_, err := s.door.Mint(httptest.NewRecorder(), r)
				done <- err
			}()
			return done
		}
		early := mint()
		time.Sleep(600 * time.Millisecond) // half a second is what an answer may be old
		late := mint()
		synctest.Wait()
		s.accounts.set(func() { s.accounts.hold, s.accounts.out = nil, true }) // from now on
		close(hold)
		if err := <-early; err != nil {
			t.Errorf("who asked before: %v", err)
		}
		if err := <-late; protocol.AsError(err) == nil || protocol.AsError(err).Code != protocol.Unauthenticated {
			t.Errorf("who asked after: %v", err)
		}
	})
}

// Who is signed out and asks on is not the account source's business each time.
func TestANoIsRememberedToo(t *testing.T) {
	s := start(t, -1, identity.Config{})
	s.accounts.set(func() { s.accounts.out = true })
	d := s.signedIn(asItIs)
	value := d.web.Jar.Cookies(d.request("/").URL)[0].Value
	for range 20 {
		d.has(value) // a device that keeps what was cleared
		if got := d.get("/tv/who"); got.status != 401 || !strings.Contains(got.set, "Max-Age=0") {
			t.Errorf("%+v", got)
		}
	}
	if n := s.accounts.questions(); n != 1 {
		t.Errorf("the account source was asked %d times", n)
	}
	s.want(map[string]uint64{"signed_out": 20, "asked": 1})
	// That nobody knows is not.
	s.accounts.set(func() { s.accounts.out, s.accounts.fails = false, errDown })
	d = s.signedIn(asItIs)
	for range 2 {
		d.get("/tv/who")
	}
	if n := s.accounts.questions(); n != 2 {
		t.Errorf("the account source that was down was asked %d times", n)
	}
}

// An account that has more than a passport carries is let in without its preferences.
func TestAnAccountWithTooManyPreferencesIsLetIn(t *testing.T) {
	for what, size := range map[string]struct{ n, bytes int }{"many": {32, 1}, "long": {6, 1000}, "both": {32, 100}} {
		s := start(t, time.Hour, identity.Config{})
		p := ann
		p.Preferences = map[string]string{}
		for i := range size.n {
			p.Preferences[fmt.Sprint("p", i)] = strings.Repeat("x", size.bytes)
		}
		s.accounts.set(func() { s.accounts.of["ann"] = p })
		d := s.signedIn(func(c *cookie.Cookie) { c.TrustedUntil = c.Begun })
		c, err := d.cookie()
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			got := d.get("/tv/who")
			if got.status != 200 || got.who.Customer != "ann" || got.who.Plan != "premium" || got.who.Level != passport.Authenticated || got.who.Preferences["session"] != c.Session.String() {
				t.Errorf("%s: %+v", what, got)
			}
		}
		if !strings.Contains(s.log.String(), "without its preferences") || strings.Contains(s.log.String(), "ann") {
			t.Errorf("%s: the log: %s", what, s.log)
		}
	}
}
