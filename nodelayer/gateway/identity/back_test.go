package identity_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/nodelayer/gateway/identity"
	"warmline.dev/passport"
	"warmline.dev/passport/cookie"
)

func TestSigningInBeginsASession(t *testing.T) {
	s := start(t, time.Hour, identity.Config{})
	d := s.device()
	if got := d.get("/tv/signIn?as=ann"); got.status != 200 || !strings.Contains(got.set, "HttpOnly") {
		t.Fatalf("%+v", got)
	}
	c, err := d.cookie()
	if err != nil || c.Passport.Customer != "ann" || c.Passport.Level != passport.Authenticated || c.State(time.Now()) != cookie.Trusted || c.Passport.Origin != "" {
		t.Errorf("%+v, %v", c, err)
	}
	if got := d.get("/tv/who"); got.who.Customer != "ann" || got.who.Level != passport.Authenticated {
		t.Errorf("%+v", got)
	}
	// Somebody else signs in: that is another session.
	d.get("/tv/signIn?as=bob")
	other, err := d.cookie()
	if err != nil || other.Passport.Customer != "bob" || other.Session == c.Session {
		t.Errorf("%+v, %v", other, err)
	}
}

// The account source names the session, to end it one day.
func TestTheAccountSourceNamesTheSession(t *testing.T) {
	s := start(t, time.Hour, identity.Config{})
	session := cookie.NewSession()
	d := s.device()
	d.get("/tv/signInTo?as=" + session.String())
	if c, err := d.cookie(); err != nil || c.Session != session || len(c.Passport.Preferences) != 0 {
		t.Errorf("%+v, %v", c, err)
	}
	if got := d.get("/tv/who"); got.who.Preferences["session"] != session.String() {
		t.Errorf("%+v", got)
	}
	// One that is none, or that the device came with, is not taken for a new one.
	d = s.device()
	d.get("/tv/signInTo?as=nonsense")
	if c, err := d.cookie(); err != nil || c.Session == session || c.Session == (cookie.Session{}) {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestSigningOutClearsTheCookie(t *testing.T) {
	s := start(t, time.Hour, identity.Config{})
	d := s.signedIn(asItIs)
	if got := d.get("/tv/signOut"); got.status != 200 || got.who.Customer != "" {
		t.Errorf("%+v", got)
	}
	if _, err := d.cookie(); !errors.Is(err, cookie.ErrMissing) {
		t.Errorf("the cookie is still there: %v", err)
	}
	if got := s.device().get("/tv/signOut"); got.status != 200 || got.set != "" {
		t.Errorf("who was not signed in: %+v", got)
	}
}

// What a service changes is in the next request, and trusted no longer than before;
// what counts against the cookie still does.
func TestAChangeIsInTheCookie(t *testing.T) {
	s := start(t, time.Hour, identity.Config{})
	d := s.signedIn(func(c *cookie.Cookie) {
		c.Begun, c.Issued, c.TrustedUntil = c.Begun.Add(-time.Minute), c.Issued.Add(-time.Minute), c.TrustedUntil.Add(-time.Minute)
	})
	before, err := d.cookie()
	if err != nil {
		t.Fatal(err)
	}
	if got := d.get("/tv/upgrade?as=family"); got.who.Plan != "family" || got.set == "" {
		t.Errorf("%+v", got)
	}
	after, err := d.cookie()
	if err != nil {
		t.Fatal(err)
	}
	if after.Passport.Plan != "family" || after.Passport.Customer != "ann" || after.Session != before.Session || !after.Issued.Equal(before.Issued) || !after.TrustedUntil.Equal(before.TrustedUntil) {
		t.Errorf("before %+v\n after %+v", before, after)
	}
	if got := d.get("/tv/who"); got.who.Plan != "family" {
		t.Errorf("%+v", got)
	}
	if n := s.accounts.questions(); n != 0 {
		t.Errorf("the account source was asked %d times", n)
	}
}

func TestAChangeOfARequestThatRenewedTheCookie(t *testing.T) {
	s := start(t, time.Hour, identity.Config{})
	d := s.signedIn(func(c *cookie.Cookie) {
		c.Begun, c.Issued, c.TrustedUntil = c.Begun.Add(-9*time.Hour), c.Issued.Add(-9*time.Hour), c.TrustedUntil.Add(-9*time.Hour)
	})
	d.get("/tv/upgrade?as=family")
	if c, err := d.cookie(); err != nil || c.State(time.Now()) != cookie.Trusted || c.Passport.Plan != "family" {
		t.Errorf("%+v, %v", c, err)
	}
	// One that is only honoured stays to be asked about.
	s.accounts.set(func() { s.accounts.fails = errDown })
	d = s.signedIn(func(c *cookie.Cookie) { c.TrustedUntil = c.Begun })
	d.get("/tv/upgrade?as=family")
	if c, err := d.cookie(); err != nil || c.State(time.Now()) != cookie.Stale || c.Passport.Plan != "family" {
		t.Errorf("honoured: %+v, %v", c, err)
	}
}

// Who is not signed in gets no cookie for what a service says of it.
func TestAnAnonymousChangeSetsNoCookie(t *testing.T) {
	s := start(t, time.Hour, identity.Config{})
	if got := s.device().get("/tv/upgrade?as=family"); got.status != 200 || got.set != "" || got.who.Plan != "family" {
		t.Errorf("%+v", got)
	}
}

// changed is what the door makes of a change to the plan that takes a while.
func (s *site) changed(d *device, takes time.Duration, change func(p *passport.Passport)) (minted passport.Passport, w *httptest.ResponseRecorder) {
	s.t.Helper()
	r := d.request("/tv/upgrade")
	for _, c := range d.web.Jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	w = httptest.NewRecorder()
	minted, err := s.door.Mint(w, r)
	if err != nil {
		s.t.Fatal(err)
	}
	minted.Issued = time.Now()
	h := passport.History{Minted: minted, Now: minted.Clone(), Changes: []passport.Change{{By: "members@1.0.0"}}}
	change(&h.Now)
	time.Sleep(takes)
	s.door.OnPassport(w, r, h)
	return minted, w
}

func toFamily(p *passport.Passport) { p.Plan = "family" }

// The account source was not asked, so nobody knows that the cookie is still good.
func TestACookieWhoseTrustEndsDuringARequestIsNotRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := alone(t, time.Hour, identity.Config{})
		d := s.signedIn(asItIs)
		_, w := s.changed(d, time.Hour, toFamily)
		c, err := s.jar.Written(w.Header(), time.Now())
		if err != nil || c.State(time.Now()) != cookie.Stale || c.Passport.Plan != "family" {
			t.Errorf("%+v, %v", c, err)
		}
		if n := s.accounts.questions(); n != 0 {
			t.Errorf("the account source was asked %d times", n)
		}
	})
}

func TestADeviceWhoseLifeEndsDuringARequestBeginsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := alone(t, time.Hour, identity.Config{})
		d := s.signedIn(func(c *cookie.Cookie) { c.Begun = time.Now().Add(-365*24*time.Hour + time.Second) })
		_, w := s.changed(d, 2*time.Second, toFamily)
		if c, err := s.jar.Written(w.Header(), time.Now()); !errors.Is(err, cookie.ErrMissing) {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

// An answer serves the other requests of a page: what they write is as old as it is.
func TestAChangeIsAsOldAsTheAnswerThatItGoesBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := alone(t, time.Hour, identity.Config{})
		d := s.signedIn(func(c *cookie.Cookie) { c.TrustedUntil = c.Begun })
		time.Sleep(time.Minute)
		asked := time.Now()
		_, first := s.changed(d, 0, func(*passport.Passport) {})
		time.Sleep(5 * time.Second)
		_, second := s.changed(d, 0, toFamily)
		for _, w := range []*httptest.ResponseRecorder{first, second} {
			if c, err := s.jar.Written(w.Header(), time.Now()); err != nil || !c.Issued.Equal(asked) || c.State(time.Now()) != cookie.Trusted {
				t.Errorf("%+v, %v; asked at %v", c, err, asked)
			}
		}
		if n := s.accounts.questions(); n != 1 {
			t.Errorf("the account source was asked %d times", n)
		}
	})
}

func TestWhoIsHonouredAndSignsInAgainIsSignedIn(t *testing.T) {
	s := start(t, time.Hour, identity.Config{})
	s.accounts.set(func() { s.accounts.fails = errDown })
	d := s.signedIn(func(c *cookie.Cookie) { c.TrustedUntil = c.Begun })
	before, err := d.cookie()
	if err != nil {
		t.Fatal(err)
	}
	d.get("/tv/signIn?as=ann")
	if c, err := d.cookie(); err != nil || c.Session == before.Session || c.Passport.Level != passport.Authenticated || c.State(time.Now()) != cookie.Trusted {
		t.Errorf("%+v, %v", c, err)
	}
}

// Two who sign in at once are one passport, which has of both what the other did not set:
// the account source says who that is.
func TestWhoSignsInBesideAnotherIsAskedAbout(t *testing.T) {
	s := start(t, time.Hour, identity.Config{})
	w := httptest.NewRecorder()
	s.door.OnPassport(w, s.device().request("/"), passport.History{
		Minted: passport.Passport{Issued: time.Now()}, Now: passport.Passport{Customer: "ann", Plan: "bob's", Level: passport.Authenticated},
		Changes: []passport.Change{{By: "accounts@1.0.0"}, {By: "accounts@1.0.0"}}, Conflicts: []passport.Conflict{{Field: "customer", Kept: 1}},
	})
	c, err := s.jar.Written(w.Header(), time.Now())
	if err != nil || c.Passport.Customer != "ann" || c.State(time.Now()) != cookie.Stale {
		t.Errorf("%+v, %v", c, err)
	}
}
