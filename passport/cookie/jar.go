package cookie

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"warmline.dev/passport"
)

// maxLine is the longest Set-Cookie that all browsers take, in bytes (RFC 6265,
// 6.1): newer ones count name and value only.
const maxLine = 4096

// Jar reads and writes the cookies of devices. Make it with [New]. It never
// changes: other keys are another jar. All methods are safe for concurrent use.
type Jar struct {
	cfg  Config
	name string
	seal *key // the first one
	keys map[string]*key
}

// New makes a jar, or says what is wrong with cfg. The keys are not kept: what is
// derived from them is.
func New(cfg Config) (*Jar, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	j := &Jar{cfg: cfg, name: cfg.prefixed(), keys: make(map[string]*key, len(cfg.Keys))}
	for _, k := range cfg.Keys {
		derived, err := derive(k)
		if err != nil {
			return nil, fmt.Errorf("cookie: key %q: %w", k.Name, err)
		}
		j.keys[k.Name] = derived
	}
	j.seal = j.keys[cfg.Keys[0].Name]
	j.cfg.Keys = nil
	return j, nil
}

// Name is the cookie's name with its prefix, as browsers know it.
func (j *Jar) Name() string { return j.name }

// Begin makes the cookie of a device that signs in: a session of its own, for
// which the caller may put in another. Now is as for [Jar.Renew].
func (j *Jar) Begin(p passport.Passport, now time.Time) Cookie {
	c := Cookie{Passport: p, Session: NewSession(), Begun: millis(now)}
	return j.Renew(c, now)
}

// Renew is c as it is issued now: of the same session, trusted anew, and of the
// same end. What has changed meanwhile is the caller's to put in. Now is when the
// account source was asked, not when it answered: an account that changes in
// between has then changed after the cookie was issued, and is asked for again.
func (j *Jar) Renew(c Cookie, now time.Time) Cookie {
	c.Issued = millis(now)
	c.TrustedUntil = j.trusted(c.Issued)
	return c
}

// trusted is until when a cookie is, at most.
func (j *Jar) trusted(issued time.Time) time.Time {
	if j.cfg.Trust == 0 { // never, also where the clock is behind
		return time.Time{}
	}
	return issued.Add(j.cfg.Trust)
}

// Write sets c in an answer whose header was not sent yet, in place of one that
// was set or cleared before. The browser keeps it until the device's life ends,
// as seen from c.Issued: [ErrExpired] if that is over. The error wraps
// [ErrTooLarge] if browsers would drop the cookie, and then nothing was set.
func (j *Jar) Write(w http.ResponseWriter, c Cookie) error {
	value, err := j.Seal(c)
	if err != nil {
		return err
	}
	left := c.Begun.Add(j.cfg.Life).Sub(c.Issued)
	if left < time.Second {
		return ErrExpired
	}
	line := j.line(value, int(left/time.Second))
	if len(line) > maxLine {
		return fmt.Errorf("%w: %d bytes with its attributes, expected at most %d: carry fewer preferences, or references to those that are long", ErrTooLarge, len(line), maxLine)
	}
	j.set(w.Header(), line)
	return nil
}

// Written is the cookie that is set in an answer: [ErrMissing] if none is, or it is
// cleared there.
func (j *Jar) Written(h http.Header, now time.Time) (Cookie, error) {
	for _, line := range h["Set-Cookie"] {
		if name, rest, _ := strings.Cut(line, "="); name == j.name {
			value, _, _ := strings.Cut(rest, ";")
			return j.Open(value, now)
		}
	}
	return Cookie{}, ErrMissing
}

// Clear takes the cookie from the device, and from the answer if it was set in it.
func (j *Jar) Clear(w http.ResponseWriter) { j.set(w.Header(), j.line("", -1)) }

// line is a Set-Cookie; a negative age is for the end.
func (j *Jar) line(value string, age int) string {
	return (&http.Cookie{
		Name: j.name, Value: value, Path: j.cfg.Path, Domain: j.cfg.Domain, MaxAge: age,
		Secure: !j.cfg.Insecure, HttpOnly: true, SameSite: j.cfg.SameSite,
	}).String()
}

// set leaves one Set-Cookie of this name.
func (j *Jar) set(h http.Header, line string) {
	others := slices.DeleteFunc(slices.Clone(h["Set-Cookie"]), func(other string) bool {
		name, _, _ := strings.Cut(other, "=")
		return strings.TrimSpace(name) == j.name
	})
	h["Set-Cookie"] = append(others, line)
}

// millis is t without what a cookie doesn't hold.
func millis(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }
