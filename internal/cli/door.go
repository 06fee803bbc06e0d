package cli

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/pflag"

	"warmline.dev/internal/accounts"
	"warmline.dev/internal/bus"
	"warmline.dev/internal/credentials"
	"warmline.dev/internal/revocations"
	"warmline.dev/nodelayer/gateway/identity"
	"warmline.dev/passport"
	"warmline.dev/passport/cookie"
	"warmline.dev/passport/token"
)

// doorOptions say how a gateway decides whom a request is for.
type doorOptions struct {
	accounts string
	insecure bool
	trust    time.Duration
	honour   time.Duration
	keySet   string // of those who sign tokens
	issuer   string
	audience string
	believe  bool
	heard    heardOptions
}

func (o *doorOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.accounts, "accounts", "", "URL of the account source: devices get cookies, and it is asked past their trust; without, ?profile= is believed")
	f.BoolVar(&o.insecure, "insecure-cookies", false, "let cookies go over plain HTTP: for development")
	f.DurationVar(&o.trust, "cookie-trust", defaultTrust, trustHelp)
	f.DurationVar(&o.honour, "cookie-honour", defaultHonour, "how long after that it is honoured while the account source can't say; negative: not at all")
	f.StringVar(&o.keySet, "jwks", "", "URL or file of the keys (JWKS) that sign tokens for Authorization: Bearer")
	f.StringVar(&o.issuer, "jwt-issuer", "", "who issues the tokens (iss); goes with --jwks")
	f.StringVar(&o.audience, "jwt-audience", "", "whom they are for (aud); goes with --jwks")
	o.heard.addFlags(f)
	f.BoolVar(&o.believe, "believe-profile", false, "believe ?profile= of who is not signed in: for development")
}

const (
	defaultTrust  = 8 * time.Hour
	defaultHonour = 24 * time.Hour
	defaultStale  = 5 * time.Minute

	trustHelp = "how long a cookie is trusted without asking anyone; negative: not at all"
)

// door is how a gateway decides, and what has to be closed behind it.
type door struct {
	*identity.Door
	accounts *accounts.Source
	heard    *revocations.Set // nil: there is no bus
	close    []func()
}

func (d *door) Close() {
	for i := len(d.close) - 1; i >= 0; i-- {
		d.close[i]()
	}
}

// open makes the door, which hears on the bus, if there is one, whose account has
// changed; nil: there is no account source.
func (o *doorOptions) open(b *bus.Bus, keys *credentials.Keys, log zerolog.Logger) (_ *door, err error) {
	if o.accounts == "" {
		if o.keySet != "" || o.issuer != "" || o.audience != "" {
			return nil, usageError{errors.New("--jwks without --accounts: expected the URL of the account source too, which is asked about tokens in question")}
		}
		return nil, nil
	}
	d := &door{}
	defer func() {
		if err != nil {
			d.Close()
		}
	}()
	var jar atomic.Pointer[cookie.Jar] // of the keys that there are
	if err := keys.Follow(func(list []passport.Key) error {
		made, err := cookie.New(cookie.Config{Keys: list, Insecure: o.insecure, Trust: o.trust})
		if err == nil {
			jar.Store(made)
		}
		return err
	}); err != nil {
		return nil, usageError{err}
	}
	source, err := accounts.New(o.accounts, log)
	if err != nil {
		return nil, usageError{fmt.Errorf("--accounts: %w", err)}
	}
	d.accounts = source
	d.close = append(d.close, source.Close)
	cfg := identity.Config{Cookies: jar.Load, Accounts: source, Honour: o.honour, Log: log}
	if o.believe {
		cfg.Anyone = func(r *http.Request) (passport.Passport, error) { return mintFromQuery(nil, r) }
	}
	if o.keySet != "" {
		if cfg.Tokens, err = o.verifier(log); err != nil {
			return nil, err
		}
		d.close = append(d.close, func() { _ = cfg.Tokens.Close() }) // never fails
	}
	if cfg.Ignorant, err = o.heard.whenIgnorant(); err != nil {
		return nil, err
	}
	set, end, err := o.follow(b, keys, log)
	if err != nil {
		return nil, err
	}
	if set != nil {
		cfg.Revoked, d.heard = set.Set, set
		d.close = append(d.close, end)
	}
	if d.Door, err = identity.New(cfg); err != nil {
		return nil, err
	}
	d.close = append(d.close, d.Door.Close)
	return d, nil
}

func (o *doorOptions) verifier(log zerolog.Logger) (*token.Verifier, error) {
	cfg := token.Config{Issuer: o.issuer, Audience: o.audience, Log: log}
	if strings.Contains(o.keySet, "://") {
		cfg.URL = o.keySet
	} else {
		cfg.File = o.keySet
	}
	v, err := token.New(cfg)
	if err != nil {
		return nil, usageError{fmt.Errorf("--jwks, --jwt-issuer, --jwt-audience: %w", err)}
	}
	return v, nil
}
