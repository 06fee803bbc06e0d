package token_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"warmline.dev/passport/token"
)

// weakKey is one that Go makes and JSON web algorithms forbid.
func weakKey(t *testing.T) *rsa.PublicKey {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	return &must(rsa.GenerateKey(rand.Reader, 1024)).PublicKey
}

// A set may have keys that are of no use here: the others count.
func TestKeysOfNoUseArePassedOver(t *testing.T) {
	raw := func(text string) json.RawMessage { return json.RawMessage(text) }
	private := must((&jose.JSONWebKey{Key: otherKey(), KeyID: "private"}).MarshalJSON())
	v := start(t, token.Config{File: file(t, set(
		raw(`null`), raw(`7`), raw(`"x"`), raw(`[]`), raw(`{}`), raw(`{"kty":"x"}`),
		raw(`{"kty":"oct","kid":"oct","k":"`+segment(strings.Repeat("k", 32))+`"}`),
		raw(`{"kty":"RSA","kid":"half","n":"AQAB"}`),
		raw(`{"kty":"EC","kid":"off the curve","crv":"P-256","x":"`+segment(strings.Repeat("x", 32))+`","y":"`+segment(strings.Repeat("y", 32))+`"}`),
		raw(`{"kty":"OKP","kid":"short","crv":"Ed25519","x":"AQAB"}`),
		raw(`{"kty":"RSA","kid":"huge","e":"AQAB","n":"`+segment(strings.Repeat("\xff", 1025))+`"}`),
		raw(strings.Repeat(`{"a":`, 4000)+"1"+strings.Repeat("}", 4000)),
		jwk(weakKey(t), "weak", nil), private,
		jwk(edKey(), "ed", nil),
	))})
	opens(t, "the one of use", v, sign(jose.EdDSA, edKey(), "ed", claims), now, golden)
	if s := v.Status(); s.Keys != 1 || s.Err != nil {
		t.Errorf("%+v", s)
	}
	refused(t, "a private one", v, sign(jose.ES256, otherKey(), "private", claims), now, token.ErrUnknownKey)
	refused(t, "oct", v, sign(jose.EdDSA, edKey(), "oct", claims), now, token.ErrUnknownKey)
	// None of them is taken for the one without a name.
	refused(t, "no kid", v, sign(jose.ES256, otherKey(), "", claims), now, token.ErrUnknownKey)
}

// Keys of one name are tried in turn, not for ever.
func TestKeysOfOneName(t *testing.T) {
	four := []json.RawMessage{jwk(ecKey(), "k", nil), jwk(edKey(), "k", nil), jwk(rsaKey(), "k", nil), jwk(otherKey(), "k", nil)}
	v := start(t, token.Config{File: file(t, set(four...))})
	for _, text := range []string{
		sign(jose.ES256, otherKey(), "k", claims), sign(jose.ES256, ecKey(), "k", claims),
		sign(jose.EdDSA, edKey(), "k", claims), sign(jose.RS256, rsaKey(), "k", claims),
	} {
		opens(t, "one of four", v, text, now, golden)
	}
	v = start(t, token.Config{File: file(t, set(append([]json.RawMessage{jwk(ecKey(), "k", nil)}, four...)...))})
	refused(t, "the fifth", v, sign(jose.ES256, otherKey(), "k", claims), now, token.ErrForged)
}
