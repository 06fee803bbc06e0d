package passport

import (
	"fmt"
	"maps"
	"time"
)

// Level is how sure the gateway is of who is calling.
type Level uint8

// The levels, each surer than the one before.
const (
	// Anonymous: nobody in particular. The zero value.
	Anonymous Level = iota
	// Recognised: the device said who it is for, and nothing proved it today.
	Recognised
	// Authenticated: signed in.
	Authenticated
)

// String names the level in lower case.
func (l Level) String() string {
	switch l {
	case Anonymous:
		return "anonymous"
	case Recognised:
		return "recognised"
	case Authenticated:
		return "authenticated"
	}
	return fmt.Sprintf("level %d", uint8(l))
}

// Passport says whom a call is made for. Texts are at most 255 bytes; empty is
// unknown. Times have millisecond precision. Whoever is given a Passport must not
// write to its maps: others may have been given the same.
type Passport struct {
	Customer string // the account
	Profile  string // who of the household
	Plan     string // membership plan
	Device   string // kind of device
	Country  string // ISO 3166-1 alpha-2
	Level    Level  // how sure that is

	// Preferences are what else services want to know of everybody, by name: at most
	// 32, names of 1 to 64 bytes, values of at most 1,024.
	Preferences map[string]string
	// References stand for preferences that are too large to carry: what is meant is
	// the immutable value with that SHA-256. No name is in both maps.
	References map[string]Reference

	Audience string    // where it counts; see [Keyring.For]
	Origin   string    // who minted it or changed it last: "gateway", "members@1.2.0"
	Issued   time.Time // when it was minted
	Expires  time.Time // when it stops being taken; not zero
}

// Reference is the SHA-256 of a value.
type Reference [32]byte

// Equal reports whether p and q say the same.
func (p *Passport) Equal(q *Passport) bool {
	return p.Customer == q.Customer && p.Profile == q.Profile && p.Plan == q.Plan && p.Device == q.Device && p.Country == q.Country && p.Level == q.Level &&
		maps.Equal(p.Preferences, q.Preferences) && maps.Equal(p.References, q.References) &&
		p.Audience == q.Audience && p.Origin == q.Origin && p.Issued.Equal(q.Issued) && p.Expires.Equal(q.Expires)
}

// Clone returns a copy whose maps are its own.
func (p *Passport) Clone() Passport {
	c := *p
	c.Preferences, c.References = maps.Clone(p.Preferences), maps.Clone(p.References)
	return c
}

const (
	maxText        = 255
	maxPreferences = 32
	maxPreference  = 1024 // bytes of a value
	maxName        = 64   // bytes
)

// Check says what is out of its bounds, nil if nothing is. What it says shows no values.
func (p *Passport) Check() error {
	for _, t := range p.texts() {
		if len(*t.at) > maxText {
			return fmt.Errorf("passport: %s of %d bytes, expected at most %d", t.name, len(*t.at), maxText)
		}
	}
	for name, of := range map[string]string{"origin": p.Origin, "audience": p.Audience} {
		if len(of) > maxText {
			return fmt.Errorf("passport: %s of %d bytes, expected at most %d", name, len(of), maxText)
		}
	}
	if n := len(p.Preferences) + len(p.References); n > maxPreferences {
		return fmt.Errorf("passport: %d preferences, expected at most %d", n, maxPreferences)
	}
	for name, value := range p.Preferences {
		if !validName(name) {
			return fmt.Errorf("passport: preference %.80q: expected a name of 1 to %d letters, digits, '-', '_' or '.'", name, maxName)
		}
		if len(value) > maxPreference {
			return fmt.Errorf("passport: preference %s of %d bytes, expected at most %d: what is larger is carried as a reference", name, len(value), maxPreference)
		}
		if _, both := p.References[name]; both {
			return fmt.Errorf("passport: preference %s is a value and a reference, expected one of them", name)
		}
	}
	for name := range p.References {
		if !validName(name) {
			return fmt.Errorf("passport: preference %.80q: expected a name of 1 to %d letters, digits, '-', '_' or '.'", name, maxName)
		}
	}
	return nil
}
