package identity

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"warmline.dev/passport"
	"warmline.dev/passport/cookie"
	"warmline.dev/protocol"
)

// Mint decides whom a request is for; it is a gateway.Mint.
func (d *Door) Mint(w http.ResponseWriter, r *http.Request) (passport.Passport, error) {
	now := time.Now()
	if r.Header.Get("Authorization") != "" {
		return d.withToken(r, now)
	}
	jar := d.cfg.Cookies()
	c, err := jar.Read(r, now)
	switch {
	case errors.Is(err, cookie.ErrMissing):
		d.count(anonymous)
		return d.cfg.Anyone(r)
	case err != nil:
		d.count(refused)
		jar.Clear(w)
		return passport.Passport{}, protocol.Errorf(protocol.Unauthenticated, "%w", err)
	}
	question, err := d.inQuestion(c.Passport.Customer, c.Session.String(), c.Issued)
	if err != nil {
		return passport.Passport{}, err
	}
	if !question && c.State(now) == cookie.Trusted {
		d.count(trusted)
		return d.carried(c.Passport, c.Session), nil
	}
	a, err := d.ask(r.Context(), Subject{c.Passport.Customer, c.Passport.Profile, c.Session.String(), c.Issued}, d.since(question, now))
	switch {
	case err == nil:
		d.count(map[bool]int{true: checked, false: renewed}[question])
		c.Passport = a.passport
		d.write(w, jar, jar.Renew(c, a.asked))
		return d.carried(c.Passport, c.Session), nil
	case signedOut(err):
		d.count(signedOff)
		jar.Clear(w)
		return passport.Passport{}, protocol.Errorf(protocol.Unauthenticated, "signed out: sign in again")
	case question:
		return passport.Passport{}, d.nobodyKnows(err)
	case now.Before(d.honouredUntil(&c)):
		d.count(honoured)
		d.cfg.Log.Warn().Err(err).Msg("the account source can't say: a cookie is honoured")
		c.Passport.Level = min(c.Passport.Level, passport.Recognised)
		return d.carried(c.Passport, c.Session), nil
	}
	return passport.Passport{}, d.nobodyKnows(err)
}

// honouredUntil is how long a cookie is, while nobody can say.
func (d *Door) honouredUntil(c *cookie.Cookie) time.Time {
	from := c.TrustedUntil
	if from.Before(c.Issued) { // it was never trusted
		from = c.Issued
	}
	return from.Add(d.cfg.Honour)
}

// sessionPreference is the preference under which services find the session of the
// device's cookie.
const sessionPreference = "session"

// carried is what a passport is minted from.
func (d *Door) carried(p passport.Passport, s cookie.Session) passport.Passport {
	p = p.Clone()
	p.SetField("preferences."+sessionPreference, s.String())
	if d.fits(&p) {
		return p
	}
	p.Preferences, p.References = map[string]string{sessionPreference: s.String()}, nil
	return p
}

// room is what a passport takes besides what is known here: its origin and audience,
// the key's name, times and the signature.
const room = 768

// fits reports whether a passport carries all that. Who has more of it is not to be kept
// out for that.
func (d *Door) fits(p *passport.Passport) bool {
	size := room
	for _, field := range passport.Fields {
		value, _ := p.Field(field)
		size += len(value)
	}
	for name, value := range p.Preferences {
		size += len(name) + len(value) + 5 // and their lengths
	}
	for name, at := range p.References {
		size += len(name) + len(at) + 4
	}
	err := p.Check()
	if err == nil && size > passport.MaxSealed {
		err = fmt.Errorf("%d bytes, expected at most %d", size, passport.MaxSealed)
	}
	if err != nil {
		d.cfg.Log.Error().Err(err).Msg("an account is carried without its preferences: what is large is carried as a reference")
	}
	return err == nil
}

// withToken is for who comes with a token.
func (d *Door) withToken(r *http.Request, now time.Time) (passport.Passport, error) {
	if d.cfg.Tokens == nil {
		d.count(refused)
		return passport.Passport{}, protocol.Errorf(protocol.Unauthenticated, "Authorization is not taken here: sign in for a cookie")
	}
	p, err := d.cfg.Tokens.Read(r, now)
	if err != nil {
		d.count(refused)
		return passport.Passport{}, err
	}
	issued := p.Issued
	question, err := d.inQuestion(p.Customer, "", issued)
	if err != nil {
		return passport.Passport{}, err
	}
	if !question {
		d.count(byToken)
		return p, nil
	}
	a, err := d.ask(r.Context(), Subject{Customer: p.Customer, Profile: p.Profile, Issued: issued}, d.since(question, now))
	switch {
	case err == nil:
		d.count(checked)
		if !d.fits(&a.passport) {
			a.passport.Preferences, a.passport.References = nil, nil
		}
		return a.passport, nil
	case signedOut(err):
		d.count(signedOff)
		return passport.Passport{}, protocol.Errorf(protocol.Unauthenticated, "signed out: get another token")
	}
	return passport.Passport{}, d.nobodyKnows(err)
}

func (d *Door) nobodyKnows(err error) error {
	d.count(unknown)
	d.cfg.Log.Warn().Err(err).Msg("the account source can't say: a request is refused")
	return protocol.Errorf(protocol.Unavailable, "it can't be said now whether you are signed in").Retryable()
}

// inQuestion reports whether an account or session may have changed since. The error is
// for the device: that is not known, and nobody is to be asked.
func (d *Door) inQuestion(customer, session string, issued time.Time) (bool, error) {
	set := d.cfg.Revoked
	switch {
	case set == nil:
		return false, nil
	case set.Revoked(customer, issued) || session != "" && set.Revoked(session, issued):
		return true, nil
	case !set.Stale():
		return false, nil
	case d.cfg.Ignorant == Refuse:
		return false, d.nobodyKnows(errors.New("nothing is heard of accounts that change"))
	}
	return true, nil
}

// since is from when on an answer counts: what is in question is asked now, as it may
// have changed a moment ago.
func (d *Door) since(question bool, now time.Time) time.Time {
	if question {
		return now.Add(-questioned)
	}
	return time.Time{}
}

// questioned is how old an answer may be about what is in question: short beside the
// time in which a signing out has to be heard everywhere, long enough for the requests
// of one page.
const questioned = 500 * time.Millisecond

// write sets the cookie. One that is too large goes without preferences, and is not
// trusted: the account source is asked for them next time.
func (d *Door) write(w http.ResponseWriter, jar *cookie.Jar, c cookie.Cookie) {
	c.Passport.Preferences = without(c.Passport.Preferences)
	err := jar.Write(w, c)
	if errors.Is(err, cookie.ErrTooLarge) {
		c.Passport.Preferences, c.Passport.References, c.TrustedUntil = nil, nil, time.Time{}
		err = jar.Write(w, c)
	}
	if err != nil {
		d.cfg.Log.Error().Err(err).Msg("a cookie can't be written")
	}
}
