package link

import (
	"runtime"
	"sync"
	"time"

	"warmline.dev/bench/harness"
)

// queue is all that is on its way, of all connections. As everything takes
// as long, what came first is due first: one thread delivers it all.
type queue struct {
	delay time.Duration
	late  *lateness

	mu     sync.Mutex
	filled sync.Cond
	parts  []part // guarded by mu: what came while earlier ones are delivered
	closed bool   // guarded by mu
}

// part is a piece of a direction's bytes, or something to do in between.
type part struct {
	due time.Time
	d   *direction
	b   *buffer
	do  func() // it must not block; nil: deliver b
}

func newQueue(delay time.Duration) *queue {
	q := &queue{delay: delay, late: newLateness()}
	q.filled.L = &q.mu
	return q
}

// add puts a part behind all others. It has waited for that for a while, which
// makes it due earlier, but not than those before it.
func (q *queue) add(p part, waited time.Duration) {
	q.mu.Lock()
	p.due = time.Now().Add(q.delay - max(0, waited)) // under the lock, so that they are in order but for the waiting
	q.parts = append(q.parts, p)
	first := len(q.parts) == 1
	q.mu.Unlock()
	if first {
		q.filled.Signal()
	}
}

// later does something when what is under way has been delivered.
func (q *queue) later(do func()) { q.add(part{do: do}, 0) }

// close ends run; what is still on its way is dropped.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.filled.Signal()
}

// run delivers, until the queue is closed.
func (q *queue) run() {
	runtime.LockOSThread() // for good: its timer is set to be exact
	var parts []part
	for {
		var ok bool
		if parts, ok = q.take(parts); !ok {
			return
		}
		for _, p := range parts {
			harness.SleepUntil(p.due)
			if p.do != nil {
				p.do()
			} else {
				q.late.record(time.Since(p.due))
				p.d.deliver(p.b)
			}
		}
	}
}

// take waits for parts and returns them in exchange for those that were delivered.
func (q *queue) take(delivered []part) (parts []part, ok bool) {
	clear(delivered)
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.parts) == 0 && !q.closed {
		q.filled.Wait()
	}
	parts, q.parts = q.parts, delivered[:0]
	return parts, !q.closed
}
