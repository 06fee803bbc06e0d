package token_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"warmline.dev/passport"
	"warmline.dev/passport/token"
)

const (
	issuer   = "https://issuer.example"
	audience = "tv.example"
)

// now is the time at which tokens are verified, where it does not matter which.
var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// What a token says, and what comes of it.
var (
	claims = map[string]any{
		"iss": issuer, "aud": audience, "sub": "c-1001", "profile": "p-1", "plan": "premium", "country": "DE",
		"iat": now.Unix() - 60, "exp": now.Unix() + 600,
	}
	golden = passport.Passport{
		Customer: "c-1001", Profile: "p-1", Plan: "premium", Country: "DE", Level: passport.Authenticated,
		Issued: now.Add(-time.Minute), Expires: now.Add(11 * time.Minute),
	}
)

// The issuer's keys. They are made once: RSA takes its time.
var (
	rsaKey   = sync.OnceValue(func() crypto.Signer { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	ecKey    = sync.OnceValue(func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	ec384Key = sync.OnceValue(func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	edKey    = sync.OnceValue(func() crypto.Signer { _, k, err := ed25519.GenerateKey(rand.Reader); return must(k, err) })
	otherKey = sync.OnceValue(func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// jwk is a key of a set; what is more stands in it too, or takes a field away.
func jwk(key any, id string, more map[string]any) json.RawMessage {
	if s, ok := key.(crypto.Signer); ok {
		key = s.Public()
	}
	fields := map[string]any{}
	if err := json.Unmarshal(must((&jose.JSONWebKey{Key: key, KeyID: id}).MarshalJSON()), &fields); err != nil {
		panic(err)
	}
	for name, value := range more {
		fields[name] = value
	}
	return must(json.Marshal(fields))
}

func set(keys ...json.RawMessage) []byte {
	return must(json.Marshal(map[string]any{"keys": keys}))
}

// issuerSet has a key for each algorithm that is taken by default.
func issuerSet() []byte {
	return set(jwk(rsaKey(), "rsa", nil), jwk(ecKey(), "ec", nil), jwk(edKey(), "ed", nil))
}

// sign makes a token.
func sign(alg jose.SignatureAlgorithm, key any, id string, claims map[string]any) string {
	options := (&jose.SignerOptions{}).WithType("JWT")
	if id != "" {
		options = options.WithHeader("kid", id)
	}
	s := must(jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options))
	return must(jwt.Signed(s).Claims(claims).Serialize())
}

// with is the claims with one of them changed, or without it if value is nil.
func with(name string, value any) map[string]any {
	changed := map[string]any{}
	for k, v := range claims {
		changed[k] = v
	}
	changed[name] = value
	if value == nil {
		delete(changed, name)
	}
	return changed
}

// segment is a part of a token.
func segment(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func file(t testing.TB, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// start is a verifier that is closed after the test.
func start(t testing.TB, cfg token.Config) *token.Verifier {
	t.Helper()
	v, err := token.New(expected(cfg))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, v) })
	return v
}

func closed(t testing.TB, v *token.Verifier) {
	t.Helper()
	if err := errors.Join(v.Close(), v.Close()); err != nil {
		t.Error(err)
	}
}

// expected is cfg for the issuer of the tests.
func expected(cfg token.Config) token.Config {
	if cfg.Issuer == "" {
		cfg.Issuer, cfg.Audience = issuer, audience
	}
	return cfg
}

// ofFile is a verifier whose keys are issuerSet's.
func ofFile(t testing.TB, cfg token.Config) *token.Verifier {
	t.Helper()
	cfg.File = file(t, issuerSet())
	return start(t, cfg)
}

func opens(t testing.TB, name string, v *token.Verifier, text string, at time.Time, want passport.Passport) {
	t.Helper()
	got, err := v.Open(context.Background(), text, at)
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%s: %v\n%s", name, err, d)
	}
}

var all = []error{
	token.ErrMissing, token.ErrMalformed, token.ErrAlgorithm, token.ErrUnknownKey, token.ErrForged,
	token.ErrIssuer, token.ErrAudience, token.ErrExpired, token.ErrFuture, token.ErrNoKeys,
}

func documented(err error) bool {
	for _, one := range all {
		if err == one {
			return true
		}
	}
	return false
}

// refused fails the test if text is taken, or refused for another reason (any, if
// want is nil).
func refused(t testing.TB, name string, v *token.Verifier, text string, at time.Time, want error) {
	t.Helper()
	p, err := v.Open(context.Background(), text, at)
	if !documented(err) || want != nil && err != want {
		t.Errorf("%s: %v, want %v", name, err, want)
	}
	if d := cmp.Diff(passport.Passport{}, p); d != "" {
		t.Errorf("%s gives\n%s", name, d)
	}
	if err != nil && strings.Contains(err.Error(), "c-1001") {
		t.Errorf("%s: %v shows the customer", name, err)
	}
}
