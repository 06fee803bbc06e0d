package cookie

import "errors"

// What is wrong with a cookie. [Jar.Read] and [Jar.Open] return one of them as it
// is; none shows anything of the cookie.
var (
	// ErrMissing: there is none, among what is looked at.
	ErrMissing = errors.New("cookie: missing")
	// ErrMalformed: not of the form that this version reads.
	ErrMalformed = errors.New("cookie: not a sealed cookie")
	// ErrForged: not sealed by a key known here, be it forged or the key retired.
	ErrForged = errors.New("cookie: forged: not sealed by a key known here")
	// ErrExpired: begun longer ago than Config.Life. The device has to sign in.
	ErrExpired = errors.New("cookie: expired")
	// ErrFuture: begun or issued more than a minute from now.
	ErrFuture = errors.New("cookie: from the future: the clocks here and where it was made differ")
	// ErrAudience: sealed for another audience than Config.Audience.
	ErrAudience = errors.New("cookie: made for another audience")
	// ErrTooLarge is wrapped by [Jar.Write] for what browsers would drop.
	ErrTooLarge = errors.New("cookie: too large")
)
