package edgelayer

import (
	"runtime"
	"sync/atomic"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"

	"warmline.dev/protocol"
)

// overload measures how many calls the edge can run at once, from how long they
// take while there are more and fewer of them, and refuses conversations and
// single calls beyond that, before any work. Calls of a conversation that was let
// in are not refused.
type overload struct {
	limiter adaptivelimiter.AdaptiveLimiter[any] // nil: none
	refused atomic.Int64
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
	return &permit{p}, nil
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
