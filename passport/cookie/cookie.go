package cookie

import (
	"time"

	"warmline.dev/passport"
)

// Cookie is what a device keeps. Times have millisecond precision.
type Cookie struct {
	// Passport is whom the device is signed in for: what lasts of a passport. Its
	// Audience, Origin, Issued and Expires are not kept; texts are at most 255 bytes.
	Passport passport.Passport

	// Session is the same as long as the device stays signed in. Not zero.
	Session Session
	// Begun is when the device signed in, Issued the time of which what the cookie
	// says is true. An account that has changed after Issued has to be asked for.
	Begun, Issued time.Time
	// TrustedUntil is when whoever reads the cookie has to ask again. The zero time
	// is at once.
	TrustedUntil time.Time
}

// State is what a good cookie is good for.
type State uint8

const (
	// Stale: the account source is to be asked. The zero value.
	Stale State = iota
	// Trusted: nobody needs to be asked.
	Trusted
)

// String names the state in lower case.
func (s State) String() string {
	if s == Trusted {
		return "trusted"
	}
	return "stale"
}

// State is what the cookie is good for now.
func (c *Cookie) State(now time.Time) State {
	if now.Before(c.TrustedUntil) {
		return Trusted
	}
	return Stale
}
