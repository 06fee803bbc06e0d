package identity

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"warmline.dev/passport"
	"warmline.dev/passport/cookie"
)

// OnPassport writes what services have changed into the device's cookie; it is a
// gateway.Config's.
func (d *Door) OnPassport(w http.ResponseWriter, r *http.Request, h passport.History) {
	if r.Header.Get("Authorization") != "" {
		return // who comes with a token has no cookie
	}
	jar := d.cfg.Cookies()
	c, err := given(jar, w, r)
	switch had := err == nil; {
	case h.Now.Level == passport.Anonymous:
		if had || h.Minted.Level != passport.Anonymous {
			jar.Clear(w)
		}
	case signedIn(&h):
		// As old as the question: whatever has changed meanwhile counts against it.
		c := jar.Begin(lasting(h.Now), h.Minted.Issued)
		if s, err := cookie.ParseSession(h.Now.Preferences[sessionPreference]); err == nil && h.Now.Preferences[sessionPreference] != h.Minted.Preferences[sessionPreference] {
			c.Session = s // the account source has named it
		}
		if slices.ContainsFunc(h.Conflicts, func(c passport.Conflict) bool { return c.Field == "customer" }) {
			c.TrustedUntil = time.Time{} // it may have something of another customer's
		}
		d.write(w, jar, c)
	case had:
		c.Passport = lasting(h.Now)
		d.write(w, jar, c)
	}
}

// signedIn reports whether a service has signed the device in. Time that has passed
// since the request began says nothing of that.
func signedIn(h *passport.History) bool {
	return h.Now.Level == passport.Authenticated && (h.Minted.Level != passport.Authenticated || h.Now.Customer != h.Minted.Customer)
}

// given is the cookie of the request as [Door.Mint] has left it: with the times of
// what the account source was asked for it, if it was.
func given(jar *cookie.Jar, w http.ResponseWriter, r *http.Request) (cookie.Cookie, error) {
	now := time.Now()
	c, err := jar.Written(w.Header(), now)
	if errors.Is(err, cookie.ErrMissing) {
		return jar.Read(r, now)
	}
	return c, err
}

// lasting is what of a passport outlives its request.
func lasting(p passport.Passport) passport.Passport {
	p.Audience, p.Origin, p.Issued, p.Expires = "", "", time.Time{}, time.Time{}
	p.Preferences = without(p.Preferences)
	return p
}

// without is preferences without the session, which the cookie has anyway.
func without(preferences map[string]string) map[string]string {
	if _, there := preferences[sessionPreference]; !there {
		return preferences
	}
	preferences = maps.Clone(preferences)
	delete(preferences, sessionPreference)
	return preferences
}
