package token

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"warmline.dev/passport"
)

const (
	maxToken = 8 << 10 // bytes
	maxText  = 255     // bytes of what goes into a passport
	margin   = time.Minute
)

// endOfTime is beyond all tokens. What is later can't be told in milliseconds.
var endOfTime = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)

// Verifier verifies tokens of one issuer. Make it with [New]; whoever does closes
// it. All methods are safe for concurrent use.
type Verifier struct {
	cfg        Config
	algorithms []jose.SignatureAlgorithm
	made       time.Time

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	running sync.WaitGroup
	keys    keys
}

// New makes a verifier, or says what is wrong with cfg. A File is read, and has
// to be good; from a URL the keys come as soon as they can be had.
func New(cfg Config) (*Verifier, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	v := &Verifier{cfg: cfg, made: time.Now()}
	for _, a := range cfg.Algorithms {
		v.algorithms = append(v.algorithms, jose.SignatureAlgorithm(a))
	}
	v.ctx, v.cancel = context.WithCancel(context.Background())
	flight := v.begin(true)
	if cfg.File != "" {
		<-flight
		if err := v.Status().Err; err != nil {
			return nil, fmt.Errorf("token: the issuer's keys: %w", errors.Join(err, v.Close()))
		}
	}
	v.running.Go(func() { v.run(flight) })
	return v, nil
}

// Close gives up a fetch that is under way, and returns when no goroutine is
// left. Tokens are still verified, with the keys that are there. A second call
// does nothing.
func (v *Verifier) Close() error {
	v.keys.mu.Lock() // no fetch begins behind it
	v.cancel()
	v.keys.mu.Unlock()
	v.running.Wait()
	return nil
}

// Read is [Verifier.Open] of the token of a request. A request without an
// Authorization header, or with one of another scheme, is [ErrMissing]; one with
// several is [ErrMalformed].
func (v *Verifier) Read(r *http.Request, now time.Time) (passport.Passport, error) {
	headers := r.Header["Authorization"]
	if len(headers) > 1 {
		return passport.Passport{}, ErrMalformed
	}
	if len(headers) == 0 {
		return passport.Passport{}, ErrMissing
	}
	const scheme = "Bearer "
	h := headers[0]
	if len(h) < len(scheme) || !strings.EqualFold(h[:len(scheme)], scheme) {
		return passport.Passport{}, ErrMissing
	}
	return v.Open(r.Context(), h[len(scheme):], now)
}

// Open verifies a token and is whom it is for: the customer, and what [Claims]
// name; authenticated, issued when the token was, and until it expires, a minute
// for clocks included. Ctx bounds the wait for a key that is not known. The error
// is one of this package's.
func (v *Verifier) Open(ctx context.Context, token string, now time.Time) (passport.Passport, error) {
	if len(token) > maxToken {
		return passport.Passport{}, ErrMalformed
	}
	t, err := jwt.ParseSigned(token, v.algorithms)
	if err != nil {
		if _, ok := errors.AsType[*jose.ErrUnexpectedSignatureAlgorithm](err); ok {
			return passport.Passport{}, ErrAlgorithm
		}
		return passport.Passport{}, ErrMalformed
	}
	if err := v.verify(ctx, t); err != nil {
		return passport.Passport{}, err
	}
	var std jwt.Claims
	var more map[string]json.RawMessage
	if t.UnsafeClaimsWithoutVerification(&std, &more) != nil { // they were verified
		return passport.Passport{}, ErrMalformed
	}
	if err := v.check(&std, now); err != nil {
		return passport.Passport{}, err
	}
	return v.passport(&std, more)
}

// verify checks the signature.
func (v *Verifier) verify(ctx context.Context, t *jwt.JSONWebToken) error {
	h := t.Headers[0]
	for _, name := range []jose.HeaderKey{"crit", "b64"} {
		if _, ok := h.ExtraHeaders[name]; ok {
			return ErrMalformed
		}
	}
	algorithm := jose.SignatureAlgorithm(h.Algorithm)
	found := v.keys.current.Load().find(h.KeyID, algorithm)
	if found == nil {
		await(ctx, v.begin(false))
		set := v.keys.current.Load()
		if set == nil {
			return ErrNoKeys
		}
		if found = set.find(h.KeyID, algorithm); found == nil {
			return ErrUnknownKey
		}
	}
	for _, p := range found {
		if t.Claims(p.key) == nil {
			return nil
		}
	}
	return ErrForged
}

// check holds the claims to what is expected.
func (v *Verifier) check(c *jwt.Claims, now time.Time) error {
	if c.Subject == "" || c.Expiry == nil || !c.Expiry.Time().Before(endOfTime) {
		return ErrMalformed
	}
	err := c.ValidateWithLeeway(jwt.Expected{Issuer: v.cfg.Issuer, AnyAudience: jwt.Audience{v.cfg.Audience}, Time: now}, margin)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jwt.ErrInvalidIssuer):
		return ErrIssuer
	case errors.Is(err, jwt.ErrInvalidAudience):
		return ErrAudience
	case errors.Is(err, jwt.ErrExpired):
		return ErrExpired
	case errors.Is(err, jwt.ErrNotValidYet), errors.Is(err, jwt.ErrIssuedInTheFuture):
		return ErrFuture
	}
	return ErrMalformed
}

// passport is whom a verified token is for.
func (v *Verifier) passport(c *jwt.Claims, more map[string]json.RawMessage) (passport.Passport, error) {
	p := passport.Passport{Customer: c.Subject, Level: passport.Authenticated, Expires: c.Expiry.Time().Add(margin).UTC()}
	if c.IssuedAt != nil {
		p.Issued = c.IssuedAt.Time().UTC()
	}
	names := v.cfg.Claims
	for _, one := range []struct {
		name string
		at   *string
	}{{names.Profile, &p.Profile}, {names.Plan, &p.Plan}, {names.Country, &p.Country}} {
		raw, ok := more[one.name]
		if !ok || one.name == "-" {
			continue
		}
		if json.Unmarshal(raw, one.at) != nil || len(*one.at) > maxText {
			return passport.Passport{}, ErrMalformed
		}
	}
	if len(p.Customer) > maxText {
		return passport.Passport{}, ErrMalformed
	}
	return p, nil
}
