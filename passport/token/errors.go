package token

import "warmline.dev/protocol"

// What is wrong with a token. [Verifier.Read] and [Verifier.Open] return one of
// them as it is: each is a [protocol.Error] with the code unauthenticated (HTTP
// 401), but ErrNoKeys. None shows anything of the token.
var (
	// ErrMissing: no Authorization header, or one that is not for Bearer.
	ErrMissing error = unauthenticated("token: missing: expected Authorization: Bearer")
	// ErrMalformed: no token, larger than 8 KiB, or with claims that are missing or
	// not of their type.
	ErrMalformed error = unauthenticated("token: not a signed JSON web token, or not with the claims expected")
	// ErrAlgorithm: signed with none, or another than is configured.
	ErrAlgorithm error = unauthenticated("token: its algorithm is not taken here")
	// ErrUnknownKey: its "kid" is not in the issuer's set, or not for its algorithm.
	ErrUnknownKey error = unauthenticated("token: its key is not one of the issuer's")
	// ErrForged: the key that it names did not sign it.
	ErrForged error = unauthenticated("token: forged: the signature is not by the key that it names")
	// ErrIssuer: another issuer's.
	ErrIssuer error = unauthenticated("token: of another issuer")
	// ErrAudience: not made for here.
	ErrAudience error = unauthenticated("token: made for another audience")
	// ErrExpired: past its "exp".
	ErrExpired error = unauthenticated("token: expired")
	// ErrFuture: before its "nbf" or "iat".
	ErrFuture error = unauthenticated("token: not valid yet: the clocks here and at its issuer may differ")

	// ErrNoKeys: the issuer's keys were never had, so that nothing can be said of any
	// token. Its code is unavailable (HTTP 503), and trying again is safe.
	ErrNoKeys error = protocol.Errorf(protocol.Unavailable, "token: the issuer's keys are not here yet").Retryable()
)

func unauthenticated(text string) *protocol.Error {
	return protocol.Errorf(protocol.Unauthenticated, "%s", text)
}
