package source

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// retry sends again what failed for no reason of its own, while there are time
// and budget for it. The place of the limit is the request's, also in the pause.
type retry struct {
	attempts int
	backoff  time.Duration
	budget   *budget
	made     atomic.Int64
}

func newRetry(cfg Config, b *budget) *retry {
	return &retry{attempts: cfg.Retry.Attempts, backoff: cfg.Retry.Backoff, budget: b}
}

func (p *retry) around(next step) step {
	if p.attempts <= 1 {
		return next
	}
	return func(ctx context.Context, r *request) error {
		for n := 1; ; n++ {
			err := next(ctx, r)
			f := failed(err)
			if f == nil || !f.again || n >= p.attempts || !r.safe && !f.unsent {
				return err
			}
			wait := max(p.pause(n), f.wait)
			if ctx.Err() != nil || f.wait > longestWait || !hasTime(ctx, wait) {
				return err
			}
			if !p.budget.spend() {
				f.err = fmt.Errorf("not sent again, as many retries as the budget allows: %w", f.err)
				return err
			}
			if !sleep(ctx, wait) {
				return ended(ctx, r, ctx.Err())
			}
			p.made.Add(1)
		}
	}
}

// longestWait bounds what a source may ask for where there is no deadline.
const longestWait = 10 * time.Second

// pause is how long to wait after n attempts: longer each time, and not the same
// for all who failed together.
func (p *retry) pause(n int) time.Duration {
	if p.backoff < 0 {
		return 0
	}
	d := min(p.backoff<<min(n-1, 10), longestWait)
	return d/2 + rand.N(d+1)
}

// sleep waits for d, and reports whether ctx is alive then.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
