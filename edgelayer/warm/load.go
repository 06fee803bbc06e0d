package warm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"warmline.dev/edgelayer/internal/waiting"
	"warmline.dev/protocol"
)

// flight is the loading of one key, and those who wait for it.
type flight[V any] struct {
	key  string
	load *load[V] // that it is part of
	done chan struct{}

	// set before done is closed
	value V
	err   error

	// guarded by the cache's mu
	waiting  int
	behind   bool // somebody was answered already: it goes on without anybody waiting
	outdated bool // the key was dropped or set since: the value is not kept
}

// load is one call of Load.
type load[V any] struct {
	ctx    context.Context
	cancel context.CancelFunc
	group  string
	timer  *time.Timer // nil: it has gone out, or goes out with what gathered it

	flights []*flight[V] // guarded by the cache's mu until it has gone out
	wanted  int          // guarded by the cache's mu: flights that somebody wants
}

// join waits in line for a key: with those who do already, or as the first. Who
// wants it fresh does not take what was asked for before.
func (c *Cache[V]) join(ctx context.Context, key string, fresh bool) *flight[V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flights[key]
	if f != nil && fresh && !c.waitsStill(f.load) {
		c.outdate(key)
		f = nil
	}
	if f == nil {
		f = c.begin(ctx, key)
	}
	c.want(f)
	f.waiting++
	return f
}

// refresh loads a key behind an answer, unless that is being done.
func (c *Cache[V]) refresh(ctx context.Context, key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flights[key] != nil {
		return
	}
	f := c.begin(ctx, key)
	c.want(f)
	f.behind = true
	c.figures.refreshes.Add(1)
	if c.cfg.Within == 0 && c.waitsStill(f.load) {
		c.send(f.load)
	}
}

func (c *Cache[V]) want(f *flight[V]) {
	if f.waiting == 0 && !f.behind {
		f.load.wanted++
	}
}

func (c *Cache[V]) waitsStill(l *load[V]) bool { return c.gathering[l.group] == l }

// begin adds a key to a load that has not gone out, or to a new one. The caller
// holds mu.
func (c *Cache[V]) begin(ctx context.Context, key string) *flight[V] {
	group := c.cfg.Group(key)
	l := c.gathering[group]
	if l == nil {
		l = &load[V]{group: group}
		l.ctx, l.cancel = context.WithCancel(protocol.WithTraceparent(c.base, protocol.Traceparent(ctx)))
	}
	f := &flight[V]{key: key, load: l, done: make(chan struct{})}
	l.flights = append(l.flights, f)
	c.flights[key] = f
	switch {
	case len(l.flights) >= c.cfg.Batch:
		c.send(l)
	case len(l.flights) == 1:
		c.gathering[group] = l
		if c.cfg.Within > 0 {
			l.timer = time.AfterFunc(c.cfg.Within, func() { c.sendIfGathering(l) })
		}
	}
	return f
}

// send lets a load go out; that of a closed cache fails at once. The caller holds mu.
func (c *Cache[V]) send(l *load[V]) {
	if l.timer != nil {
		l.timer.Stop()
	}
	if c.waitsStill(l) {
		delete(c.gathering, l.group)
	}
	if c.base.Err() != nil { // Close waits for those that run: there can be no more of them
		l.cancel()
		c.settle(l, nil, errClosed, 0, 0)
		return
	}
	c.running.Go(func() { c.run(l) })
}

func (c *Cache[V]) sendIfGathering(l *load[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waitsStill(l) {
		c.send(l)
	}
}

// sendGathered lets all go out that wait for more keys.
func (c *Cache[V]) sendGathered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range slices.Collect(maps.Values(c.gathering)) {
		c.send(l)
	}
}

// run loads.
func (c *Cache[V]) run(l *load[V]) {
	defer l.cancel()
	keys := make([]string, len(l.flights))
	for i, f := range l.flights {
		keys[i] = f.key
	}
	begun := c.now()
	found, err := c.call(l.ctx, keys)
	now := c.now()
	c.figures.loaded(now-begun, err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle(l, found, err, begun, now)
}

// settle keeps what a load that began at begun came back with, and tells those who
// wait. The caller holds mu.
func (c *Cache[V]) settle(l *load[V], found map[string]V, err error, begun, now time.Duration) {
	for _, f := range l.flights {
		v, ok := found[f.key]
		switch {
		case err != nil && protocol.AsError(err).Code != protocol.NotFound:
			f.err = err
			if !gaveUp(err) {
				c.failed(f, now, err)
			}
		case err == nil && ok:
			f.value = v
			if !f.outdated {
				c.kept.Set(f.key, c.newEntry(v, begun, now))
			}
		default:
			f.err = c.hasNone(f.key, err)
			switch {
			case f.outdated:
			case c.cfg.Missing > 0:
				c.kept.Set(f.key, c.newMissing(f.err, begun, now))
			default:
				c.kept.Invalidate(f.key)
			}
		}
		if c.flights[f.key] == f {
			delete(c.flights, f.key)
		}
		close(f.done)
	}
}

// call is Load, one that panics fails.
func (c *Cache[V]) call(ctx context.Context, keys []string) (found map[string]V, err error) {
	defer func() {
		if r := recover(); r != nil {
			c.cfg.Log.Error().Str("source", c.cfg.Source).Str("read", c.cfg.Name).Str("panic", fmt.Sprint(r)).Bytes("stack", debug.Stack()).Msg("a load panicked")
			err = protocol.Errorf(protocol.Internal, "source %s: loading failed unexpectedly", c.cfg.Source)
		}
	}()
	if err := ctx.Err(); err != nil {
		return nil, err // nobody waits any more
	}
	return c.cfg.Load(ctx, keys)
}

// failed puts off the next try for a key of which there is a value.
func (c *Cache[V]) failed(f *flight[V], now time.Duration, err error) {
	if e, ok := c.kept.GetEntryQuietly(f.key); ok && !f.outdated {
		e.Value.failed(now)
	}
	if f.behind {
		c.cfg.Log.Debug().Str("source", c.cfg.Source).Str("read", c.cfg.Name).Err(err).Msg("a value could not be loaded anew")
	}
}

// hasNone is what is said of a key that has no value.
func (c *Cache[V]) hasNone(key string, err error) error {
	if err != nil {
		return err
	}
	return protocol.Errorf(protocol.NotFound, "source %s: no %s %.80q", c.cfg.Source, c.cfg.Name, key)
}

// wait waits for a flight that was joined.
func (c *Cache[V]) wait(ctx context.Context, f *flight[V]) (V, error) {
	select {
	case <-f.done:
		return f.value, f.err
	default:
	}
	defer waiting.Begin(ctx)()
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		c.leave(f)
		var none V
		return none, ctx.Err()
	}
}

// leave is what one who waits does when it has no more time: the last one of all
// that a load is for has it given up.
func (c *Cache[V]) leave(f *flight[V]) {
	if f == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f.waiting--
	if f.waiting > 0 || f.behind {
		return
	}
	f.outdated = true
	if c.flights[f.key] == f {
		delete(c.flights, f.key) // who comes now begins anew
	}
	f.load.wanted--
	if f.load.wanted == 0 {
		f.load.cancel()
		if c.waitsStill(f.load) {
			c.send(f.load) // to end it
		}
	}
}

// gaveUp reports whether a load ended because of who asked.
func gaveUp(err error) bool {
	return errors.Is(err, context.Canceled) || protocol.AsError(err).Code == protocol.Canceled
}
