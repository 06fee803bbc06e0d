package warm

import (
	"context"
	"time"
)

// Entry is a value as one edge hands it over to another.
type Entry[V any] struct {
	Key   string
	Value V
	Age   time.Duration // since it was loaded
}

// Hottest is what is most likely to be asked for next, hottest first, in at most so
// many bytes of memory. What is stale, and keys that have no value, are not in it.
func (c *Cache[V]) Hottest(most int64) []Entry[V] {
	var hottest []Entry[V]
	now := c.now()
	for e := range c.kept.Hottest() {
		if e.Value.missing != nil || now >= e.Value.fresh {
			continue
		}
		if most -= int64(e.Weight); most < 0 {
			break
		}
		hottest = append(hottest, Entry[V]{e.Key, e.Value.value, now - e.Value.loaded})
	}
	return hottest
}

// Take keeps a value that another edge handed over, which was of that age at that
// time, and reports whether it did: not if it is stale, if there is a newer one, if
// the key was dropped since, or if everything was after that time.
func (c *Cache[V]) Take(e Entry[V], at time.Time) bool {
	held := at.Sub(c.started)
	loaded := held - max(e.Age, 0)
	entry := c.newEntry(e.Value, loaded, loaded)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now() >= entry.fresh || c.dropped.after(e.Key, loaded, held) {
		return false
	}
	if there, ok := c.kept.GetEntryQuietly(e.Key); ok && there.Value.loaded >= loaded {
		return false
	}
	c.kept.Set(e.Key, entry)
	c.figures.taken.Add(1)
	return true
}

// Warm loads keys that are not there, until ctx ends, a few at a time: those who
// ask meanwhile come first. It returns how many of the keys are there then.
func (c *Cache[V]) Warm(ctx context.Context, keys []string) (there int) {
	const atOnce = 8
	few := max(atOnce, c.cfg.Batch)
	for len(keys) > 0 && ctx.Err() == nil {
		some := keys[:min(few, len(keys))]
		keys = keys[len(some):]
		answers, err := c.GetAll(ctx, some)
		if err != nil {
			break
		}
		for _, a := range answers {
			if a.Err == nil {
				there++
			}
		}
	}
	return there
}
