package edgelayer

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"

	"warmline.dev/protocol"
)

// overload measures how many calls the edge can run at once, from how long they
// take while there are more and fewer of them, and refuses conversations and
// single calls beyond that, before any work. Calls of a conversation that was let
// in are not refused.
type overload struct {
	limiter  adaptivelimiter.AdaptiveLimiter[any] // nil: none
	admitted atomic.Int64                         // conversations and single calls
	refused  atomic.Int64

	mu sync.Mutex
	// guarded by mu: what leases are made of
	looked                        time.Time
	admittedBefore, refusedBefore int64   // then
	rate                          float64 // a second, that leases allow; 0: there is no need for them
}

// Below leastAtOnce calls for each processor nothing is refused: so many are done
// soon, and a burst after a quiet time is no overload.
const (
	leastAtOnce = 64
	mostAtOnce  = 10_000
)

func newOverload(most int) *overload {
	if most < 0 {
		return &overload{}
	}
	if most == 0 {
		most = mostAtOnce
	}
	least := min(leastAtOnce*runtime.GOMAXPROCS(0), most)
	return &overload{limiter: adaptivelimiter.NewBuilder[any]().WithLimits(uint(least), uint(most), uint(least)).Build()}
}

// permit is a place among the calls that run; nil is none, which is good too.
type permit struct{ adaptivelimiter.Permit }

// enter takes a place, or says why there is none.
func (o *overload) enter() (*permit, *protocol.Error) {
	if o.limiter == nil {
		return nil, nil
	}
	p, ok := o.limiter.TryAcquirePermit()
	if !ok {
		o.refused.Add(1)
		return nil, protocol.Errorf(protocol.Overloaded, "this edge runs %d calls, as many as it can: ask another, or come back in a second", o.limiter.Inflight())
	}
	o.admitted.Add(1)
	return &permit{p}, nil
}

// A lease tells a peer that honours such how many conversations and single calls
// it may begin: as many as it likes, or, when the edge has refused any, its share
// of what the edge carried then, and of a little more each time.
const (
	leaseMost = 100_000
	leaseTTL  = 250 * time.Millisecond // short: a peer may use all of it at once
)

// lease is how many requests the next lease is for, of one of so many lines.
func (o *overload) lease(ttl time.Duration, lines int64) int {
	const window = 180 * time.Millisecond
	o.mu.Lock()
	defer o.mu.Unlock()
	if elapsed := time.Since(o.looked); elapsed >= window {
		admitted, refused := o.admitted.Load(), o.refused.Load()
		switch rate := float64(admitted-o.admittedBefore) / elapsed.Seconds(); {
		case refused > o.refusedBefore:
			o.rate = max(rate, 1) // also when all that runs is stuck
		case rate < o.rate/2: // there is less to do again
			o.rate = 0
		default:
			o.rate *= 1.1 // perhaps it carries more
		}
		o.looked, o.admittedBefore, o.refusedBefore = time.Now(), admitted, refused
	}
	if o.rate == 0 {
		return leaseMost
	}
	return int(o.rate * ttl.Seconds() * 3 / 4 / float64(max(lines, 1))) // the next one comes after three quarters
}

// join takes a place if there is one.
func (o *overload) join() *permit {
	if o.limiter != nil {
		if p, ok := o.limiter.TryAcquirePermit(); ok {
			return &permit{p}
		}
	}
	return nil
}

// leave gives the place back. How long a call took counts unless it was given up.
func (p *permit) leave(err error) {
	switch {
	case p == nil:
	case gaveUp(err):
		p.Drop()
	default:
		p.Record()
	}
}

// limit is how many calls may run at once now; 0: no limit.
func (o *overload) limit() int {
	if o.limiter == nil {
		return 0
	}
	return o.limiter.Limit()
}
