package source

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"

	"warmline.dev/protocol"
)

// limit is how many places there are for requests under way, as measured.
type limit struct {
	name    string
	least   int
	limiter adaptivelimiter.AdaptiveLimiter[any] // nil: off
	refused atomic.Int64

	answers, timeouts atomic.Int64 // since the limit was last measured
}

func newLimit(cfg Config) *limit {
	l := &limit{name: cfg.Name, least: cfg.Limit.Least}
	if most := uint(max(cfg.Limit.Most, 0)); most > 0 {
		l.limiter = adaptivelimiter.NewBuilder[any]().
			WithLimits(uint(l.least), most, most).
			WithRecentWindow(250*time.Millisecond, 10*time.Second, 50).
			WithMaxLimitFunc(l.most).
			Build()
	}
	return l
}

// most caps the limit, each time that it is measured, at five times what was
// under way. The limiter compares a source with what it was like lately, and gets
// used to one that hangs; so mostly timeouts bring the limit down to the least.
func (l *limit) most(inFlight int) float64 {
	answers, timeouts := l.answers.Swap(0), l.timeouts.Swap(0)
	if timeouts > answers {
		return float64(l.least)
	}
	return 5 * float64(inFlight)
}

func (l *limit) around(next step) step {
	if l.limiter == nil {
		return next
	}
	return func(ctx context.Context, r *request) (err error) {
		p, ok := l.enter()
		if !ok {
			l.refused.Add(1)
			// Not overloaded: that would say that the edge is, and a page is refused.
			return protocol.Errorf(protocol.Unavailable, "source %s: %d requests are under way, as many as it bears", l.name, l.limiter.Inflight()).Retryable()
		}
		defer func() { l.leave(p, err) }()
		return next(ctx, r)
	}
}

// place is one of the limit's; nil is one of no limit.
type place adaptivelimiter.Permit

// enter takes a place if there is one.
func (l *limit) enter() (place, bool) {
	if l.limiter == nil {
		return nil, true
	}
	return l.limiter.TryAcquirePermit()
}

// leave gives a place back. How long a request took counts if the source let it
// take so long: not if the caller gave up, and not if it failed, which is often
// quicker than any answer.
func (l *limit) leave(p place, err error) {
	f := failed(err)
	switch {
	case p == nil:
	case f == nil && answered(err):
		l.answers.Add(1)
		p.Record()
	case f != nil && f.kind == timeout:
		l.timeouts.Add(1)
		p.Record()
	default:
		p.Drop()
	}
}

// now is the limit; 0: there is none.
func (l *limit) now() int {
	if l.limiter == nil {
		return 0
	}
	return l.limiter.Limit()
}
