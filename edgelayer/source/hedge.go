package source

import (
	"context"
	"sync/atomic"
	"time"
)

// hedge sends a safe request once more that is slow, if there are a place and
// budget for it.
type hedge struct {
	off     bool
	times   *times
	limit   *limit
	budget  *budget
	made    atomic.Int64
	won     atomic.Int64
	noPlace atomic.Int64
}

func newHedge(cfg Config, t *times, l *limit, b *budget) *hedge {
	return &hedge{off: cfg.Hedge.Quantile < 0, times: t, limit: l, budget: b}
}

// soonest keeps the jitter of a quick source from being hedged.
const soonest = time.Millisecond

func (h *hedge) around(next step) step {
	if h.off {
		return next
	}
	return func(ctx context.Context, r *request) error {
		if slow := h.times.slow(); r.safe && slow > 0 {
			return h.race(ctx, r, max(slow+1, soonest), next) // longer than it, not as long
		}
		return next(ctx, r)
	}
}

// race runs an attempt here and, if it takes longer than delay, another one in a
// goroutine of its own, which has ended when race returns.
func (h *hedge) race(ctx context.Context, r *request, delay time.Duration, next step) (err error) {
	firstCtx, endFirst := context.WithCancelCause(ctx)
	secondCtx, endSecond := context.WithCancelCause(ctx)
	var second struct {
		sent     bool
		err      error
		panicked any // Accept is the caller's
	}
	done := make(chan struct{})
	timer := time.AfterFunc(delay, func() {
		defer close(done)
		defer func() { second.panicked = recover() }()
		if second.sent, second.err = h.send(secondCtx, r, next); second.sent && failed(second.err) == nil {
			endFirst(errLost)
		}
	})
	defer func() {
		if !timer.Stop() { // it runs, or has run
			if f := failed(err); f == nil || f.kind == gaveUp {
				endSecond(errLost)
			}
			<-done
			if second.panicked != nil {
				panic(second.panicked)
			}
			if second.sent && failed(second.err) == nil { // only one of the two is ever answered
				h.won.Add(1)
				err = second.err
			}
		}
		endFirst(nil)
		endSecond(nil)
	}()
	return next(firstCtx, r)
}

// send is the second attempt, unless there is no room for it.
func (h *hedge) send(ctx context.Context, r *request, next step) (sent bool, err error) {
	p, ok := h.limit.enter()
	if !ok {
		h.noPlace.Add(1)
		return false, nil
	}
	defer func() { h.limit.leave(p, err) }()
	if !h.budget.spend() {
		return false, &failure{kind: lost, err: errLost}
	}
	h.made.Add(1)
	return true, next(ctx, r)
}
