package identity

import (
	"maps"
	"net/http"
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
	now := time.Now()
	c, err := d.cfg.Cookies.Read(r, now)
	switch had := err == nil; {
	case h.Now.Level == passport.Anonymous:
		if had || h.Minted.Level != passport.Anonymous {
			d.cfg.Cookies.Clear(w)
		}
	case h.Now.Level == passport.Authenticated && (!had || h.Now.Customer != c.Passport.Customer):
		// As old as the question: whatever has changed meanwhile counts against it.
		c := d.cfg.Cookies.Begin(lasting(h.Now), h.Minted.Issued)
		if s, err := cookie.ParseSession(h.Now.Preferences[sessionPreference]); err == nil && h.Now.Preferences[sessionPreference] != h.Minted.Preferences[sessionPreference] {
			c.Session = s // the account source has named it
		}
		d.write(w, c)
	case had:
		c.Passport = lasting(h.Now)
		if c.State(now) == cookie.Stale && h.Minted.Level == passport.Authenticated { // it has just been renewed
			c = d.cfg.Cookies.Renew(c, h.Minted.Issued)
		}
		d.write(w, c)
	}
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
