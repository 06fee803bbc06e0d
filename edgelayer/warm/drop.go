package warm

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Invalidation says what has changed at a source.
type Invalidation struct {
	// Source is the source's name, and Read what is read from it; empty: everything
	// that is.
	Source string `json:"source"`
	Read   string `json:"read,omitempty"`
	// One of the three: a key; all that begin with a prefix; all there are.
	Key    string `json:"key,omitempty"`
	Prefix string `json:"prefix,omitempty"`
	All    bool   `json:"all,omitempty"`
}

// MaxInvalidation bounds an encoded invalidation, in bytes.
const MaxInvalidation = 4 << 10

// ParseInvalidation decodes one from JSON, or says what is wrong with it.
func ParseInvalidation(text []byte) (Invalidation, error) {
	var i Invalidation
	if len(text) > MaxInvalidation {
		return i, fmt.Errorf("an invalidation of %d bytes, at most %d are taken", len(text), MaxInvalidation)
	}
	if err := json.Unmarshal(text, &i); err != nil {
		return i, fmt.Errorf(`an invalidation that is not what was expected, {"source":"catalogue","key":"17"}: %w`, err)
	}
	return i, i.Check()
}

// Check says what is wrong with it, nil if nothing is.
func (i Invalidation) Check() error {
	given := 0
	for _, is := range []bool{i.Key != "", i.Prefix != "", i.All} {
		if is {
			given++
		}
	}
	if i.Source == "" || given != 1 {
		return errors.New(`an invalidation names a source, and one of a key, a prefix and all: {"source":"catalogue","key":"17"}`)
	}
	return nil
}

// String is it in words.
func (i Invalidation) String() string {
	of := i.Source
	if i.Read != "" {
		of += "." + i.Read
	}
	switch {
	case i.All:
		return "all of " + of
	case i.Prefix != "":
		return fmt.Sprintf("%q* of %s", i.Prefix, of)
	}
	return fmt.Sprintf("%q of %s", i.Key, of)
}

func (i Invalidation) meansKey(key string) bool {
	return i.All || i.Key == key && i.Prefix == "" || i.Prefix != "" && strings.HasPrefix(key, i.Prefix)
}

// Invalidate forgets what has changed, if it is this cache's. What is being loaded
// is not kept either. It returns how many values were dropped.
func (c *Cache[V]) Invalidate(i Invalidation) int {
	if i.Source != c.cfg.Source || i.Read != "" && i.Read != c.cfg.Name || i.Check() != nil {
		return 0
	}
	return c.drop(i)
}

// Drop forgets a key.
func (c *Cache[V]) Drop(key string) { c.drop(Invalidation{Key: key}) }

// DropAll forgets everything, as nobody can vouch for it. Unlike after an
// [Invalidation] of all there is, who can may hand over what is as old, if it still
// holds that afterwards.
func (c *Cache[V]) DropAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropped.deaf = c.now()
	c.forget(Invalidation{All: true})
}

func (c *Cache[V]) drop(i Invalidation) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropped.add(i, c.now())
	return c.forget(i)
}

// forget drops what is meant. The caller holds mu.
func (c *Cache[V]) forget(i Invalidation) (dropped int) {
	if !i.All && i.Prefix == "" {
		c.outdate(i.Key)
		if _, was := c.kept.Invalidate(i.Key); was {
			dropped++
		}
	} else {
		for key := range c.flights {
			if i.meansKey(key) {
				c.outdate(key)
			}
		}
		for key := range c.kept.Keys() {
			if i.meansKey(key) {
				if _, was := c.kept.Invalidate(key); was {
					dropped++
				}
			}
		}
	}
	c.figures.dropped.Add(int64(dropped))
	return dropped
}

// outdate lets those who wait for a key have what is being loaded, but nobody else.
// What has not gone out will be asked after this. The caller holds mu.
func (c *Cache[V]) outdate(key string) {
	if f := c.flights[key]; f != nil && !c.waitsStill(f.load) {
		f.outdated = true
		delete(c.flights, key)
	}
}

// drops are the last invalidations: an entry that another edge hands over may be
// older than one that has come already.
type drops struct {
	last  []drop
	since time.Duration // of those before it nothing is known any more
	deaf  time.Duration // until then some may not have come
}

type drop struct {
	Invalidation
	at time.Duration
}

const (
	maxDrops = 1024
	keepDrop = time.Minute
)

func (d *drops) add(i Invalidation, now time.Duration) {
	old := 0
	for old < len(d.last) && (now-d.last[old].at > keepDrop || len(d.last)-old >= maxDrops) {
		d.since = d.last[old].at
		old++
	}
	d.last = append(slices.Delete(d.last, 0, old), drop{i, now})
}

// after reports whether a key has been dropped, as far as is known, since a value
// of it was loaded, which another edge held at that time.
func (d *drops) after(key string, loaded, held time.Duration) bool {
	if loaded <= d.since && d.since > 0 || held <= d.deaf && d.deaf > 0 {
		return true
	}
	for _, i := range d.last {
		if i.at >= loaded && i.meansKey(key) {
			return true
		}
	}
	return false
}
