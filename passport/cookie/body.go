package cookie

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tinylib/msgp/msgp"

	"warmline.dev/passport"
	"warmline.dev/protocol"
)

// The keys of the body. One that was given a meaning keeps it.
const (
	keyAudience = 1 + iota
	keySession
	keyBegun
	keyIssued
	keyTrusted
	keyCustomer
	keyProfile
	keyPlan
	keyDevice
	keyCountry
	keyLevel
	keyPreferences
	keyReferences
)

const required = 1<<keySession | 1<<keyBegun | 1<<keyIssued

// texts are the texts of a passport that last, in the order of their keys.
func texts(p *passport.Passport) [5]*string {
	return [5]*string{&p.Customer, &p.Profile, &p.Plan, &p.Device, &p.Country}
}

// check says why c can't be sealed.
func (c *Cookie) check() error {
	for i, text := range texts(&c.Passport) {
		if len(*text) > maxText {
			name := [...]string{"customer", "profile", "plan", "device", "country"}[i]
			return fmt.Errorf("cookie: %s of %d bytes, expected at most %d", name, len(*text), maxText)
		}
	}
	if c.Session == (Session{}) || c.Begun.IsZero() || c.Issued.IsZero() {
		return fmt.Errorf("cookie: no session, or not when it was begun and issued: make it with Begin")
	}
	return nil
}

// appendBody writes the body of the sealed form.
func appendBody(b []byte, c *Cookie, audience string) []byte {
	start := len(b)
	b = append(b, 0) // a map of at most 15
	field := func(key byte) {
		b[start]++
		b = append(b, key)
	}
	text := func(key byte, s string) {
		if s != "" {
			field(key)
			b = msgp.AppendString(b, s)
		}
	}
	at := func(key byte, t time.Time) {
		if !t.IsZero() {
			field(key)
			b = msgp.AppendInt64(b, t.UnixMilli())
		}
	}
	text(keyAudience, audience)
	field(keySession)
	b = msgp.AppendBytes(b, c.Session[:])
	at(keyBegun, c.Begun)
	at(keyIssued, c.Issued)
	at(keyTrusted, c.TrustedUntil)
	for i, s := range texts(&c.Passport) {
		text(keyCustomer+byte(i), *s)
	}
	if c.Passport.Level != 0 {
		field(keyLevel)
		b = msgp.AppendUint8(b, uint8(c.Passport.Level))
	}
	if len(c.Passport.Preferences) > 0 {
		field(keyPreferences)
		b = msgp.AppendMapHeader(b, uint32(len(c.Passport.Preferences)))
		for _, name := range slices.Sorted(maps.Keys(c.Passport.Preferences)) {
			b = msgp.AppendString(b, name)
			b = msgp.AppendString(b, c.Passport.Preferences[name])
		}
	}
	if len(c.Passport.References) > 0 {
		field(keyReferences)
		b = msgp.AppendMapHeader(b, uint32(len(c.Passport.References)))
		for _, name := range slices.Sorted(maps.Keys(c.Passport.References)) {
			b = msgp.AppendString(b, name)
			sum := c.Passport.References[name]
			b = msgp.AppendBytes(b, sum[:])
		}
	}
	b[start] |= 0x80
	return b
}

// parseBody reads the body of the sealed form, which is exactly one value. What
// it returns is a copy.
func parseBody(body []byte) (c Cookie, audience string, err error) {
	if protocol.DefaultLimits.Check(body) != nil {
		return Cookie{}, "", ErrMalformed
	}
	p := parser{rest: body, all: string(body)}
	seen, last := uint64(0), uint64(0)
	for range p.mapHeader() {
		key := p.uint()
		if p.failed || key <= last { // also: each at most once
			return Cookie{}, "", ErrMalformed
		}
		last = key
		if key < 64 {
			seen |= 1 << key
		}
		switch key {
		case keyAudience:
			audience = p.text()
		case keySession:
			p.exactly(c.Session[:])
		case keyBegun:
			c.Begun = p.time()
		case keyIssued:
			c.Issued = p.time()
		case keyTrusted:
			c.TrustedUntil = p.time()
		case keyCustomer, keyProfile, keyPlan, keyDevice, keyCountry:
			*texts(&c.Passport)[key-keyCustomer] = p.text()
		case keyLevel:
			c.Passport.Level = p.level()
		case keyPreferences:
			c.Passport.Preferences = p.preferences()
		case keyReferences:
			c.Passport.References = p.references()
		default:
			p.skip()
		}
	}
	if p.failed || seen&required != required {
		return Cookie{}, "", ErrMalformed
	}
	return c, audience, nil
}
