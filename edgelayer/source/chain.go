package source

import (
	"context"
	"time"

	"warmline.dev/edgelayer/internal/waiting"
)

// step is a request on its way, with what it still has to pass.
type step func(ctx context.Context, r *request) error

// chain is what every request passes, from the top. A policy that is off is not
// in the way.
func (s *Source) chain() step {
	return s.deadline(
		s.limit.around( // first of what refuses: a place is held until the request is over
			s.breaker.around( // sees what retries could not mend
				s.figures.around( // counts what was let through
					s.retry.around(
						s.hedge.around( // takes a place of the limit for the second attempt
							s.attempt))))))
}

// deadline bounds everything below. A budget that is spent starts no work.
func (s *Source) deadline(next step) step {
	return func(ctx context.Context, r *request) error {
		if s.cfg.Timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, s.cfg.Timeout)
			defer cancel()
		}
		if ctx.Err() != nil {
			return ended(ctx, r, ctx.Err())
		}
		defer waiting.Begin(ctx)()
		return next(ctx, r)
	}
}

// hasTime reports whether more than d is left until ctx ends.
func hasTime(ctx context.Context, d time.Duration) bool {
	end, ok := ctx.Deadline()
	return !ok || time.Until(end) > d
}
