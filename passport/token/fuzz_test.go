package token_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"warmline.dev/passport"
	"warmline.dev/passport/token"
)

// No token is taken but the issuer's.
func FuzzOpen(f *testing.F) {
	v := ofFile(f, token.Config{})
	f.Add(sign(jose.EdDSA, edKey(), "ed", claims))
	f.Add(sign(jose.ES256, otherKey(), "ec", claims))
	f.Add(segment(`{"alg":"none"}`) + "." + segment(`{"sub":"c-1001"}`) + ".")
	f.Add(segment(`{"alg":"EdDSA","kid":"ed","jwk":{"kty":"oct","k":"AA"},"x5c":["AA"]}`) + ".e30.AA")
	f.Add(segment(`{"alg":"EdDSA","kid":"ed","crit":["b64"],"b64":false}`) + ".x.AA")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := v.Open(context.Background(), text, now)
		if err != nil && !documented(err) {
			t.Fatal(err)
		}
		want := passport.Passport{}
		if err == nil {
			want = golden // all that was ever signed
		}
		if d := cmp.Diff(want, p); d != "" {
			t.Fatalf("%v\n%s", err, d)
		}
	})
}

// What the issuer may have signed.
func FuzzClaims(f *testing.F) {
	v := ofFile(f, token.Config{})
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: edKey()}, (&jose.SignerOptions{}).WithHeader("kid", "ed")))
	f.Add(must(json.Marshal(claims)))
	f.Add([]byte(`{"iss":"https://issuer.example","aud":["tv.example"],"sub":"c","exp":1e18,"plan":null}`))
	f.Add([]byte(`{"exp":-1e400,"aud":{}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		p, err := v.Open(context.Background(), must(must(signer.Sign(payload)).CompactSerialize()), now)
		if err != nil {
			if d := cmp.Diff(passport.Passport{}, p); d != "" || !documented(err) {
				t.Fatalf("%v\n%s", err, d)
			}
			return
		}
		// It can be sealed, and is good now.
		ring := must(passport.NewKeyring(passport.NewKey("k")))
		if p.Customer == "" || p.Expires.Before(now) {
			t.Fatalf("%+v", p)
		}
		if _, err := ring.Seal(p); err != nil {
			t.Fatal(err)
		}
	})
}

// What stands where the issuer's keys should be.
func FuzzKeys(f *testing.F) {
	f.Add(issuerSet())
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","x5c":["AA"]},null]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AA"}],"keys":{}}`))
	good := sign(jose.EdDSA, edKey(), "ed", claims)
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := token.New(token.Config{Issuer: issuer, Audience: audience, File: file(t, text)})
		if err != nil {
			if len(err.Error()) > 300 || !strings.HasPrefix(err.Error(), "token: ") {
				t.Fatal(err)
			}
			return
		}
		defer closed(t, v)
		if v.Status().Keys == 0 {
			t.Fatal("taken without a key")
		}
		if p, err := v.Open(context.Background(), good, now); err == nil {
			if d := cmp.Diff(golden, p); d != "" {
				t.Fatal(d)
			}
		} else if !documented(err) {
			t.Fatal(err)
		}
	})
}
