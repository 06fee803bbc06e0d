// Package identity decides whom a device request is made for: it reads the device's
// cookie or token, and asks the account source only where these don't say enough. What
// is asked for once is carried from there on, in the passport and in the next cookie.
//
// # Nouns
//
//   - A [Door] is a [gateway.Mint], and takes back what services have changed.
//   - [Accounts] is the account source.
//
// # Whom a request is for
//
//	Authorization: Bearer       the customer of the token; authenticated
//	a trusted cookie            whom the cookie names, at its level; nobody is asked
//	a stale cookie              as the account source says; a new cookie is set
//	  ... and it can't say      whom the cookie names, recognised only, as long as Honour lasts
//	  ... and says no           nobody: the cookie is cleared, 401
//	a cookie in question        as a stale one, and never honoured: 503 if the account source can't say
//	a cookie that is not good   nobody: the cookie is cleared, 401
//	neither                     Anyone, by default nobody: anonymous
//
// A cookie is in question if its customer's account or its session may have changed
// since it was issued (package revocation); and each one is, unless Config.Ignorant says
// otherwise, while the gateway does not hear of such changes.
//
// # What comes back
//
// Where a service has changed the passport the device gets a cookie that says so: signed
// in (the level has become authenticated, or the customer another) it is one of a new
// session (by the name that the account source gave it, in the preference session,
// where services find that of each device); signed out (anonymous) it is cleared; otherwise it is the same cookie with
// what has changed, trusted no longer than before.
package identity
