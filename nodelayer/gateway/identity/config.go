package identity

import (
	"errors"
	"net/http"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/rs/zerolog"

	"warmline.dev/passport"
	"warmline.dev/passport/cookie"
	"warmline.dev/passport/revocation"
	"warmline.dev/passport/token"
)

// Ignorant is what a gateway does that does not hear which accounts have changed.
type Ignorant int

const (
	// Ask: the account source is asked about everyone. The zero value.
	Ask Ignorant = iota
	// Refuse: who is signed in is told to come back later (503).
	Refuse
)

// Config is how a door decides. 0 is the default.
type Config struct {
	// Cookies is the jar that reads and writes the devices' cookies. It is called for
	// each request, so that another jar, with other keys, can take its place; it must be
	// safe for concurrent use, and never return nil. Required.
	Cookies func() *cookie.Jar
	// Accounts is the account source. Required.
	Accounts Accounts
	// Tokens verifies what comes with Authorization: Bearer. Default: that is refused.
	Tokens *token.Verifier
	// Revoked tells which accounts and sessions may have changed. Default: none is
	// ever in question.
	Revoked *revocation.Set
	// Ignorant is what to do while Revoked does not hear of changes.
	Ignorant Ignorant
	// Honour is how long a cookie that is trusted no more is honoured while the account
	// source can't say. Default 24 h; negative: not at all.
	Honour time.Duration
	// Anyone decides whom a request without cookie and token is for. Default: nobody,
	// anonymous.
	Anyone func(r *http.Request) (passport.Passport, error)
	// Log is told when the account source can't say, and of cookies that can't be
	// written. The zero value is silent.
	Log zerolog.Logger
}

const defaultHonour = 24 * time.Hour

// Door decides whom device requests are for. Make it with [New]. All methods are safe
// for concurrent use.
type Door struct {
	cfg     Config
	answers *otter.Cache[Subject, answer]
	counts  counts
}

// New makes a door, or says what is wrong with cfg. The caller closes it, and what it
// was made with.
func New(cfg Config) (*Door, error) {
	if cfg.Cookies == nil || cfg.Accounts == nil {
		return nil, errors.New("identity: expected a Config with Cookies and Accounts")
	}
	if cfg.Honour == 0 {
		cfg.Honour = defaultHonour
	}
	if cfg.Anyone == nil {
		cfg.Anyone = func(*http.Request) (passport.Passport, error) { return passport.Passport{}, nil }
	}
	cfg.Log = cfg.Log.Sample(&zerolog.BurstSampler{Burst: 10, Period: time.Second}) // an outage is a line for each request
	answers, err := newAnswers()
	if err != nil {
		return nil, err
	}
	return &Door{cfg: cfg, answers: answers}, nil
}

// Close ends the door's goroutines.
func (d *Door) Close() { d.answers.StopAllGoroutines() }
