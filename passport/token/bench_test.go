package token_test

import (
	"context"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"warmline.dev/passport/token"
)

// BenchmarkOpen is what a device request with a token costs at the gateway.
func BenchmarkOpen(b *testing.B) {
	v := ofFile(b, token.Config{})
	for name, tc := range map[string]struct {
		text string
		want error
	}{
		"RS256":      {sign(jose.RS256, rsaKey(), "rsa", claims), nil},
		"ES256":      {sign(jose.ES256, ecKey(), "ec", claims), nil},
		"EdDSA":      {sign(jose.EdDSA, edKey(), "ed", claims), nil},
		"Forged":     {sign(jose.ES256, otherKey(), "ec", claims), token.ErrForged},
		"UnknownKey": {sign(jose.ES256, otherKey(), "x", claims), token.ErrUnknownKey},
		"None":       {segment(`{"alg":"none"}`) + ".e30.", token.ErrAlgorithm},
		"Megabyte":   {strings.Repeat("x", 1<<20), token.ErrMalformed},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Open(context.Background(), tc.text, now); err != tc.want {
					b.Fatal(err)
				}
			}
		})
	}
}
