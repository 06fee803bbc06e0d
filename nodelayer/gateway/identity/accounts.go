package identity

import (
	"context"
	"errors"
	"time"

	"github.com/maypok86/otter/v2"

	"warmline.dev/passport"
	"warmline.dev/protocol"
)

// Subject is whom the account source is asked about.
type Subject struct {
	Customer, Profile string
	// Session is that of the device's cookie; "": it came with a token.
	Session string
	// Issued is when the cookie or token was.
	Issued time.Time
}

// Accounts is the account source. It is called by many at once.
type Accounts interface {
	// Load is whom a subject is now: customer, profile, plan, country, preferences and
	// level. An error with [protocol.Unauthenticated] or [protocol.Forbidden] says that
	// it is signed out; any other that nobody knows, [protocol.NotFound] too: who asks at
	// a wrong place is told that of everybody. The error is logged.
	Load(ctx context.Context, s Subject) (passport.Passport, error)
}

// signedOut reports whether the account source has said so.
func signedOut(err error) bool {
	switch protocol.AsError(err).Code {
	case protocol.Unauthenticated, protocol.Forbidden:
		return true
	}
	return false
}

// answer is what the account source has said, and when it was asked.
type answer struct {
	passport passport.Passport
	out      error // it says that the subject is signed out
	asked    time.Time
}

const (
	// remembered is how long an answer serves the other requests of the device, which
	// come with the same cookie until the first is answered.
	remembered    = 10 * time.Second
	mostAnswers   = 10_000
	accountBudget = time.Second // for an account source that does not bound it itself
)

func newAnswers() (*otter.Cache[Subject, answer], error) {
	return otter.New(&otter.Options[Subject, answer]{
		MaximumSize:      mostAnswers,
		ExpiryCalculator: otter.ExpiryWriting[Subject, answer](remembered),
	})
}

// ask asks the account source, once for all requests that come with the same cookie
// or token. What was asked before since does not count, also if the answer is yet to
// come. That somebody is signed out is remembered too: who keeps asking is not to keep
// the account source busy.
func (d *Door) ask(ctx context.Context, s Subject, since time.Time) (answer, error) {
	for {
		a, err := d.answers.Get(ctx, s, otter.LoaderFunc[Subject, answer](d.load))
		switch {
		case err != nil:
			return answer{}, err
		case a.asked.Before(since):
			d.answers.Invalidate(s) // the next one is asked from here on
		default:
			return a, a.out
		}
	}
}

func (d *Door) load(ctx context.Context, s Subject) (answer, error) {
	// Whoever asks first may go away: the others wait for the same answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), accountBudget)
	defer cancel()
	d.count(asked)
	now := time.Now()
	p, err := d.cfg.Accounts.Load(ctx, s)
	switch {
	case err != nil && signedOut(err):
		return answer{out: err, asked: now}, nil
	case err == nil && p.Customer != s.Customer:
		err = errors.New("identity: the account source answered for another customer")
	}
	return answer{passport: p, asked: now}, err
}
