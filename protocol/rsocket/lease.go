package rsocket

import (
	"context"
	"sync"
	"time"

	"warmline.dev/protocol/rsocket/frame"
)

// lease counts the requests that one direction of a connection may still carry,
// and until when (specification, "Lease Semantics"). One that is not on allows
// everything.
type lease struct {
	on bool // immutable once the connection is set up

	// guarded by mu
	mu    sync.Mutex
	left  int64
	until time.Time
	more  chan struct{} // closed when there is a new lease; nil while nobody waits
	over  bool          // the connection has ended
}

// renew replaces what was granted before.
func (l *lease) renew(requests int64, ttl time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left, l.until = requests, time.Now().Add(ttl)
	wake(&l.more)
}

// extend grants requests besides those that the peer may still make on the lease before.
func (l *lease) extend(requests int64, ttl time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left, l.until = requests+min(l.left, requests), time.Now().Add(ttl)
}

// allow takes one request from the lease if there is one.
func (l *lease) allow() bool {
	if !l.on {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.take()
}

func (l *lease) take() bool {
	if l.left <= 0 || !time.Now().Before(l.until) {
		return false
	}
	l.left--
	return true
}

// wait takes one request from the lease, as soon as there is one. It returns
// without one when the connection has ended: the caller looks for that.
func (l *lease) wait(ctx context.Context) error {
	if !l.on {
		return nil
	}
	for {
		l.mu.Lock()
		if l.over || l.take() {
			l.mu.Unlock()
			return nil
		}
		if l.more == nil {
			l.more = make(chan struct{})
		}
		more := l.more
		l.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// close lets everybody go who waits.
func (l *lease) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	wake(&l.more)
}

// expire ends the lease, as a new carrier does.
func (l *lease) expire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left = 0
}

// grant sends the peer a lease, and again each time before it has expired, until
// the connection is over. It runs as a timer of its own, so that no goroutine
// stands for it.
func (c *Conn) grant() {
	if !c.granted.on || c.over.Load() {
		return
	}
	ttl := c.cfg.LeaseTTL
	// The lease replaces the one before when it arrives there: until then requests
	// come on that one, and all of them take their time.
	n := c.cfg.LeaseRequests
	if c.cfg.Leases != nil {
		n = min(max(c.cfg.Leases(), 1), n)
	}
	c.granted.extend(int64(n), ttl+max(ttl/2, time.Second))
	if b := c.w.force(frame.HeaderSize + 8); b != nil {
		c.w.end(frame.AppendLease(b, uint32(ttl.Milliseconds()), uint32(n)))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leaseTimer != nil {
		c.leaseTimer.Stop() // it may be that of a carrier that is lost
	}
	if c.err == nil {
		c.leaseTimer = time.AfterFunc(ttl-ttl/4, c.grant)
	}
}
