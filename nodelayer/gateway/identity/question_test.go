package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/rs/zerolog"

	"warmline.dev/internal/await"
	"warmline.dev/internal/bus"
	"warmline.dev/internal/revocations"
	"warmline.dev/nodelayer/gateway/identity"
	"warmline.dev/passport"
	"warmline.dev/passport/cookie"
	"warmline.dev/passport/revocation"
	"warmline.dev/passport/token"
)

// hearing is a set that hears of changes, and how to have one told.
func hearing(t *testing.T) (set *revocations.Set, changed func(id string)) {
	t.Helper()
	b, err := bus.Open(bus.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	keys := []passport.Key{passport.NewKey("r1")}
	p, err := revocations.Publish(b, keys, revocation.WindowConfig{}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	set, err = revocations.Follow(b, revocation.SetConfig{Keys: keys}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Close)
	await.Until(t, "the set to be complete", set.Complete)
	return set, func(id string) {
		t.Helper()
		if err := p.Revoke(await.Context(t), id, time.Now()); err != nil {
			t.Fatal(err)
		}
		await.Until(t, id+" to be in question", func() bool { return set.Revoked(id, time.Now().Add(-time.Hour)) })
	}
}

func aMinuteAgo(c *cookie.Cookie) {
	c.Begun, c.Issued, c.TrustedUntil = c.Begun.Add(-time.Minute), c.Issued.Add(-time.Minute), c.TrustedUntil.Add(-time.Minute)
}

// A customer whose account has changed is asked about, whichever cookie it comes with;
// nobody else is.
func TestACookieInQuestionIsChecked(t *testing.T) {
	for _, of := range []string{"customer", "session"} {
		set, changed := hearing(t)
		s := start(t, time.Hour, identity.Config{Revoked: set.Set})
		d := s.signedIn(aMinuteAgo)
		c, err := d.cookie()
		if err != nil {
			t.Fatal(err)
		}
		if got := d.get("/tv/who"); got.status != 200 || s.accounts.questions() != 0 {
			t.Fatalf("before: %+v", got)
		}
		changed(map[string]string{"customer": "ann", "session": c.Session.String()}[of])
		s.accounts.set(func() {
			p := ann
			p.Plan = "basic"
			s.accounts.of["ann"] = p
		})
		if got := d.get("/tv/who"); got.status != 200 || got.who.Plan != "basic" || got.set == "" || s.accounts.questions() != 1 {
			t.Errorf("%s: %+v", of, got)
		}
		s.want(map[string]uint64{"trusted": 1, "checked": 1, "asked": 1})
	}
}

// Signed out, and the account source is down: nobody knows, and nobody is let in.
func TestACookieInQuestionIsNeverHonoured(t *testing.T) {
	set, changed := hearing(t)
	s := start(t, time.Hour, identity.Config{Revoked: set.Set, Honour: 24 * time.Hour})
	changed("ann")
	s.accounts.set(func() { s.accounts.fails = errDown })
	for name, age := range map[string]time.Duration{"trusted": time.Minute, "stale": 2 * time.Hour} {
		d := s.signedIn(func(c *cookie.Cookie) {
			c.Begun, c.Issued, c.TrustedUntil = c.Begun.Add(-age), c.Issued.Add(-age), c.TrustedUntil.Add(-age)
		})
		if got := d.get("/tv/who"); got.status != 503 || got.set != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	s.want(map[string]uint64{"unknown": 2, "asked": 2})
}

// An answer from before a signing out is none.
func TestARememberedAnswerDoesNotOutliveASigningOut(t *testing.T) {
	set, changed := hearing(t)
	s := start(t, -1, identity.Config{Revoked: set.Set})
	d := s.signedIn(aMinuteAgo)
	value, _ := s.jar.Seal(func() cookie.Cookie { c, _ := d.cookie(); return c }())
	if got := d.get("/tv/who"); got.status != 200 {
		t.Fatalf("%+v", got)
	}
	changed("ann")
	s.accounts.set(func() { s.accounts.fails = errSignedOut })
	await.Until(t, "it to be refused", func() bool { // within a second, where others would wait for ten
		again := s.device()
		again.has(value)
		return again.get("/tv/who").status == 401
	})
}

// A gateway that hears nothing asks about everybody, or refuses, as it is told.
func TestAGatewayThatHearsNothing(t *testing.T) {
	for ignorant, want := range map[identity.Ignorant]int{identity.Ask: 200, identity.Refuse: 503} {
		set, err := revocation.NewSet(revocation.SetConfig{Keys: []passport.Key{passport.NewKey("r1")}})
		if err != nil {
			t.Fatal(err)
		}
		s := start(t, time.Hour, identity.Config{Revoked: set, Ignorant: ignorant})
		if got := s.signedIn(asItIs).get("/tv/who"); got.status != want {
			t.Errorf("%v: %+v", ignorant, got)
		}
		if n := s.accounts.questions(); (n == 1) != (ignorant == identity.Ask) {
			t.Errorf("%v: the account source was asked %d times", ignorant, n)
		}
		if got := s.device().get("/tv/who"); got.status != 200 || got.who.Level != passport.Anonymous {
			t.Errorf("%v, nobody in particular: %+v", ignorant, got)
		}
	}
}

// issuer signs tokens.
type issuer struct {
	t   *testing.T
	key *ecdsa.PrivateKey
}

func (i issuer) token(change func(claims map[string]any)) string {
	i.t.Helper()
	claims := map[string]any{
		"iss": "https://issuer.example", "aud": "tv.example", "sub": "ann", "profile": "grown-up", "plan": "as the token says",
		"iat": time.Now().Add(-time.Minute).Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	change(claims)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: i.key}, (&jose.SignerOptions{}).WithHeader("kid", "k"))
	if err != nil {
		i.t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		i.t.Fatal(err)
	}
	return text
}

func newIssuer(t *testing.T) (issuer, *token.Verifier) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "k"}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(file, set, 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := token.New(token.Config{Issuer: "https://issuer.example", Audience: "tv.example", File: file})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return issuer{t, key}, v
}

func TestTokens(t *testing.T) {
	set, changed := hearing(t)
	by, verifier := newIssuer(t)
	s := start(t, time.Hour, identity.Config{Tokens: verifier, Revoked: set.Set})
	with := func(d *device, token string) response {
		t.Helper()
		r := d.request("/tv/who")
		r.Header.Set("Authorization", "Bearer "+token)
		return d.do(r)
	}
	asIs := func(map[string]any) {}
	good := by.token(asIs)
	got := with(s.device(), good)
	if got.status != 200 || got.who.Customer != "ann" || got.who.Plan != "as the token says" || got.who.Level != passport.Authenticated || got.set != "" || s.accounts.questions() != 0 {
		t.Errorf("%+v", got)
	}
	for name, bad := range map[string]string{
		"expired":          by.token(func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() }),
		"another audience": by.token(func(c map[string]any) { c["aud"] = "elsewhere" }),
		"signed by none":   "eyJhbGciOiJub25lIn0." + strings.Split(good, ".")[1] + ".",
		"cut":              good[:len(good)-4],
		"long":             strings.Repeat("x", 20_000),
	} {
		d := s.signedIn(asItIs) // a good cookie does not make a bad token good
		if got := with(d, bad); got.status != http.StatusUnauthorized || got.set != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	// What has changed since it was issued is asked about.
	changed("ann")
	if got := with(s.device(), good); got.status != 200 || got.who.Plan != "premium" || s.accounts.questions() != 1 {
		t.Errorf("in question: %+v", got)
	}
	s.accounts.set(func() { s.accounts.fails = errSignedOut })
	await.Until(t, "it to be refused", func() bool { return with(s.device(), good).status == 401 })
	if strings.Contains(s.log.String(), good[:30]) {
		t.Error("a token is in the log")
	}
}
