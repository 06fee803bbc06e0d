// Package token is the way in for those that come with an "Authorization: Bearer"
// of an issuer elsewhere: a JSON web token (RFC 7519), signed (RFC 7515) by a key
// of the issuer's set (RFC 7517).
//
// # Nouns
//
//   - A [Verifier] turns a token into a [passport.Passport], or says why not. It
//     holds the issuer's keys, from a file or a URL.
//   - [Claims] are where in a token a passport's fields are.
//   - A [Status] tells how old the keys are.
//
// # What is taken
//
// One token in one Authorization header, of at most 8 KiB, in compact form. Its
// algorithm is one of [Config.Algorithms], fits the key that its "kid" names, and
// is the key's own where that says one: a token does not choose how it is
// verified, and keys in its header ("jwk", "jku", "x5c") are passed over. A token
// without "kid" is taken if a single key fits it. The signature comes first: nothing
// is read from a token that is forged. "iss" and "aud" are what is expected; "sub"
// and "exp" are there; "exp", "nbf" and "iat" are held to with a minute for clocks
// that differ. Tokens with "crit" or "b64" are refused.
//
// # Keys
//
// A set is fetched at the start and then every [Config.Refresh], and when a token
// names a key that is not known: at most once in [Config.Cooldown], however many
// such tokens come. While it can't be had, or has no key of use, the last one
// counts, and [Verifier.Status] tells its age. Verifying waits for a fetch only
// with a key that is not known, for [Config.Timeout] at most and no longer than
// its context.
//
// # Limitations
//
// Nested claims, encrypted tokens and symmetric keys are not for this. Tokens are
// not kept: each request verifies its own. That an issuer took a token back is
// known by its expiry only, and by warmline.dev/passport/revocation, which counts
// against tokens by when they were issued as against cookies.
package token
