package warm

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/maypok86/otter/v2/stats"

	"warmline.dev/protocol"
)

// Cache keeps values by key. Make it with [New].
type Cache[V any] struct {
	cfg     Config[V]
	started time.Time // of its clock
	kept    *otter.Cache[string, *entry[V]]
	counts  *stats.Counter
	figures figures

	mu sync.Mutex
	// guarded by mu
	flights   map[string]*flight[V] // loads under way, by key
	gathering map[string]*load[V]   // loads that wait for more keys, by group
	dropped   drops

	base    context.Context // of loads
	end     context.CancelFunc
	running sync.WaitGroup // loads
}

// New makes a cache, or says what is wrong with cfg. The caller closes it.
func New[V any](cfg Config[V]) (*Cache[V], error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Cache[V]{
		cfg: cfg, started: time.Now(), counts: stats.NewCounter(),
		flights: map[string]*flight[V]{}, gathering: map[string]*load[V]{},
	}
	c.base, c.end = context.WithCancel(context.Background())
	c.kept, err = otter.New(&otter.Options[string, *entry[V]]{
		MaximumWeight: uint64(cfg.MaxBytes),
		Weigher:       c.weigh,
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, *entry[V]]) time.Duration {
			return max(e.Value.gone-c.now(), 1)
		}),
		StatsRecorder: c.counts,
	})
	if err != nil {
		return nil, fmt.Errorf("warm: cache %s of %s: %w", cfg.Name, cfg.Source, err)
	}
	return c, nil
}

// overhead is what an entry takes besides its key and value, in bytes: measured by
// TestBytesAreWhatTheProcessHolds.
const overhead = 200

// weigh is the memory that an entry takes.
func (c *Cache[V]) weigh(key string, e *entry[V]) uint32 {
	size := overhead + len(key)
	if c.cfg.Size != nil && e.missing == nil {
		size += c.cfg.Size(e.value)
	}
	least := c.cfg.MaxBytes / int64(c.cfg.MaxEntries) // so that there are not more than MaxEntries
	return uint32(min(max(int64(size), least, 1), 1<<32-1))
}

// now is the time on the cache's clock.
func (c *Cache[V]) now() time.Duration { return time.Since(c.started) }

// Source and Name are those that it was made with.
func (c *Cache[V]) Source() string { return c.cfg.Source }

// Name is what is read: see [Config].
func (c *Cache[V]) Name() string { return c.cfg.Name }

// Get returns the value of key: from memory, or loaded. A key that has none gives a
// *[protocol.Error] with [protocol.NotFound]; a load that fails, its error, unless
// there is an older value or a static one to give; a context that ends, the
// context's error. With a context of [WithFresh] it is loaded in any case, and what
// fails has failed.
func (c *Cache[V]) Get(ctx context.Context, key string) (V, error) {
	if isFresh(ctx) {
		return c.load(ctx, key, true)
	}
	if e, ok := c.lookUp(ctx, key, c.now()); ok {
		return e.value, e.missing
	}
	v, err := c.load(ctx, key, false)
	return c.otherwise(key, v, err)
}

func (c *Cache[V]) load(ctx context.Context, key string, fresh bool) (V, error) {
	f := c.join(ctx, key, fresh)
	if c.cfg.Within == 0 {
		c.sendIfGathering(f.load)
	}
	return c.wait(ctx, f)
}

// lookUp finds what can be served at once, and has it loaded anew if it is time.
func (c *Cache[V]) lookUp(ctx context.Context, key string, now time.Duration) (*entry[V], bool) {
	e, stale, ok := c.find(ctx, key, now)
	if stale {
		c.figures.stale.Add(1)
	}
	return e, ok
}

// find is lookUp for who counts what is stale.
func (c *Cache[V]) find(ctx context.Context, key string, now time.Duration) (e *entry[V], stale, ok bool) {
	if e, ok = c.kept.GetIfPresent(key); !ok {
		return nil, false, false
	}
	stale = now >= e.fresh
	renew := e.renew.Load()
	if int64(now) < renew {
		return e, stale, true // if it is stale the next try is put off
	}
	if int64(now) >= e.wait.Load() {
		c.figures.outdated.Add(1)
		return nil, false, false
	}
	if e.renew.CompareAndSwap(renew, int64(now+putOff)) { // one of those who see it, and again if nothing comes of it
		c.refresh(ctx, key)
	}
	return e, stale, true
}

// Answer is what [Cache.GetAll] says of one key.
type Answer[V any] struct {
	Value V
	Err   error // as [Cache.Get] returns it
}

// GetAll is Get of many keys, that are loaded together as far as the source allows.
// The answers are in the order of the keys. The error is that of a context that has
// ended.
func (c *Cache[V]) GetAll(ctx context.Context, keys []string) ([]Answer[V], error) {
	answers := make([]Answer[V], len(keys))
	var flights []*flight[V] // nil where the answer is there
	fresh := isFresh(ctx)
	now := c.now() // for all keys: they are looked up within microseconds
	for i, key := range keys {
		if !fresh {
			if e, ok := c.lookUp(ctx, key, now); ok {
				answers[i] = Answer[V]{e.value, e.missing}
				continue
			}
		}
		if flights == nil {
			flights = make([]*flight[V], len(keys))
		}
		flights[i] = c.join(ctx, key, fresh)
	}
	if flights == nil {
		return answers, nil
	}
	if c.cfg.Within == 0 {
		c.sendGathered()
	}
	for i, f := range flights {
		if f == nil {
			continue
		}
		v, err := c.wait(ctx, f)
		if !fresh {
			v, err = c.otherwise(keys[i], v, err)
		}
		answers[i] = Answer[V]{v, err}
		if err != nil && ctx.Err() != nil {
			for _, rest := range flights[i+1:] {
				c.leave(rest)
			}
			return nil, ctx.Err()
		}
	}
	return answers, nil
}

// otherwise gives what there is instead of a value that could not be loaded: the
// stale one, the static one, the error.
func (c *Cache[V]) otherwise(key string, v V, err error) (V, error) {
	if err == nil || isAnswer(err) || gaveUp(err) {
		return v, err
	}
	if e, ok := c.kept.GetEntryQuietly(key); ok && e.Value.missing == nil && c.now() < e.Value.fresh+c.cfg.StaleIfError {
		c.figures.stale.Add(1)
		return e.Value.value, nil
	}
	if c.cfg.Fallback != nil {
		if static, ok := c.cfg.Fallback(key); ok {
			c.figures.fallbacks.Add(1)
			return static, nil
		}
	}
	return v, err
}

// Set puts a value in, as a load would.
func (c *Cache[V]) Set(key string, value V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outdate(key) // what is under way was asked before this
	now := c.now()
	c.kept.Set(key, c.newEntry(value, now, now))
}

// Close gives up what is being loaded and ends the cache's goroutines. It may be
// called twice; what is loaded after it fails.
func (c *Cache[V]) Close() {
	c.mu.Lock()
	c.end() // whoever holds mu sees either an open cache, or that no load may begin
	c.mu.Unlock()
	c.sendGathered()
	c.running.Wait()
	c.kept.StopAllGoroutines()
}

var errClosed = protocol.Errorf(protocol.Canceled, "the cache was closed")

// isAnswer reports whether err is what the source has to say, and no failure.
func isAnswer(err error) bool {
	switch protocol.AsError(err).Code {
	case protocol.NotFound, protocol.InvalidArgument, protocol.Forbidden:
		return true
	}
	return false
}
