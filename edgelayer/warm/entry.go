package warm

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// entry is one key's value, or that it has none. Times are those of the cache's
// clock.
type entry[V any] struct {
	value   V
	missing error // what to say of a key that has no value; nil: it has one

	loaded time.Duration
	fresh  time.Duration // until then it is not stale
	gone   time.Duration // until then it is there if loading fails
	// From renew on it is loaded anew behind the answer, and until wait it is served
	// at once. Both are put off when loading fails.
	renew, wait atomic.Int64
}

// putOff is how long a value that could not be loaded anew is served before that
// is tried again.
const putOff = time.Second

// newEntry is the entry of a value that was asked for at one time and came at
// another: it is as old as the question, and fresh for its TTL from then on, however
// long the source took.
func (c *Cache[V]) newEntry(value V, asked, came time.Duration) *entry[V] {
	ttl := c.cfg.TTL - time.Duration(c.cfg.Jitter*rand.Float64()*float64(c.cfg.TTL))
	e := &entry[V]{value: value, loaded: asked, fresh: came + ttl}
	e.gone = e.fresh + max(c.cfg.Stale, c.cfg.StaleIfError)
	e.renew.Store(int64(e.fresh - time.Duration(c.cfg.RefreshAhead*float64(ttl))))
	e.wait.Store(int64(e.fresh + c.cfg.Stale))
	return e
}

// newMissing is the entry of a key that has no value.
func (c *Cache[V]) newMissing(why error, asked, came time.Duration) *entry[V] {
	e := &entry[V]{missing: why, loaded: asked, fresh: came + c.cfg.Missing}
	e.gone = e.fresh
	e.renew.Store(int64(e.fresh))
	e.wait.Store(int64(e.fresh))
	return e
}

// failed puts off the next try: meanwhile what is there is served at once.
func (e *entry[V]) failed(now time.Duration) {
	until := min(now+putOff, e.gone)
	if int64(until) > e.renew.Load() {
		e.renew.Store(int64(until))
	}
	if int64(until) > e.wait.Load() {
		e.wait.Store(int64(until))
	}
}
