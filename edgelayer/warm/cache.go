package warm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/maypok86/otter/v2/stats"
)

// Config is how a cache behaves.
type Config struct {
	// Name stands in the figures.
	Name string
	// MaxEntries bounds the cache. Default 10,000.
	MaxEntries int
	// TTL is how long a value is served after it was loaded or set. Default one minute.
	TTL time.Duration
}

// Cache keeps values by key. Make it with [New].
type Cache[K comparable, V any] struct {
	name string
	c    *otter.Cache[K, V]
}

// New makes a cache, or says what is wrong with cfg. The caller closes it.
func New[K comparable, V any](cfg Config) (*Cache[K, V], error) {
	if cfg.MaxEntries == 0 {
		cfg.MaxEntries = 10_000
	}
	if cfg.TTL == 0 {
		cfg.TTL = time.Minute
	}
	if cfg.MaxEntries < 0 || cfg.TTL < 0 {
		return nil, fmt.Errorf("warm: cache %q: %d entries for %v, expected positive numbers", cfg.Name, cfg.MaxEntries, cfg.TTL)
	}
	c, err := otter.New(&otter.Options[K, V]{
		MaximumSize:      cfg.MaxEntries,
		ExpiryCalculator: otter.ExpiryWriting[K, V](cfg.TTL),
		StatsRecorder:    stats.NewCounter(),
	})
	if err != nil {
		return nil, fmt.Errorf("warm: cache %q: %w", cfg.Name, err)
	}
	return &Cache[K, V]{name: cfg.Name, c: c}, nil
}

// Get returns the value of key, loading it if it is not there. Callers that ask
// for a key while it loads wait for that load; if it fails because the caller
// that ran it gave up, another runs its own. With a context of [WithFresh] it is
// loaded in any case, and kept.
func (c *Cache[K, V]) Get(ctx context.Context, key K, load func(ctx context.Context, key K) (V, error)) (V, error) {
	if isFresh(ctx) {
		v, err := load(ctx, key)
		if err == nil {
			c.Set(key, v)
		}
		return v, err
	}
	return c.c.Get(ctx, key, otter.LoaderFunc[K, V](load))
}

// GetAll returns the values of keys, loading in one go those that are not there.
// A key that load leaves out of its result is left out of this one too. With a
// context of [WithFresh] all are loaded, and kept.
func (c *Cache[K, V]) GetAll(ctx context.Context, keys []K, load func(ctx context.Context, keys []K) (map[K]V, error)) (map[K]V, error) {
	if isFresh(ctx) {
		found, err := load(ctx, keys)
		if err == nil {
			for key, v := range found {
				c.Set(key, v)
			}
		}
		return found, err
	}
	found, err := c.c.BulkGet(ctx, keys, otter.BulkLoaderFunc[K, V](load))
	if errors.Is(err, otter.ErrNotFound) {
		err = nil // a key that nobody has is a gap, not a failure
	}
	return found, err
}

// Set puts a value in, as a load would.
func (c *Cache[K, V]) Set(key K, value V) { c.c.Set(key, value) }

// Drop forgets a key; a load under way for it does not bring it back.
func (c *Cache[K, V]) Drop(key K) { c.c.Invalidate(key) }

// Close ends the cache's goroutines.
func (c *Cache[K, V]) Close() { c.c.StopAllGoroutines() }

// Name is the name it was made with.
func (c *Cache[K, V]) Name() string { return c.name }

// Stats are a cache's figures since it was made.
type Stats struct {
	Entries   int    `json:"entries"`
	Hits      uint64 `json:"hits"`
	Misses    uint64 `json:"misses"`
	Loads     uint64 `json:"loads"`
	Failures  uint64 `json:"load_failures"`
	Evictions uint64 `json:"evictions"`
}

// Stats returns the figures now.
func (c *Cache[K, V]) Stats() Stats {
	s := c.c.Stats()
	return Stats{
		Entries: c.c.EstimatedSize(), Hits: s.Hits, Misses: s.Misses,
		Loads: s.Loads(), Failures: s.LoadFailures, Evictions: s.Evictions,
	}
}
