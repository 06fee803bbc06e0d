package warm

import "context"

// Peek is [Cache.Get] for what that would answer without a wait: a value that is
// fresh, or stale and then loaded anew behind the answer; or that the key has none.
// Otherwise, and with a context of [WithFresh], it reports false: Get is to be asked,
// and counts it.
func (c *Cache[V]) Peek(ctx context.Context, key string) (a Answer[V], ok bool) {
	if isFresh(ctx) {
		return a, false
	}
	e, ok := c.lookUp(ctx, key, c.now())
	if !ok {
		c.figures.passed.Add(1)
		return a, false
	}
	return Answer[V]{e.value, e.missing}, true
}

// PeekAll is Peek of many keys: the answers are those to all of them, in their order.
func (c *Cache[V]) PeekAll(ctx context.Context, keys []string) (answers []Answer[V], ok bool) {
	if isFresh(ctx) {
		return nil, false
	}
	answers = make([]Answer[V], len(keys))
	outOfDate, now := 0, c.now()
	for i, key := range keys {
		e, stale, ok := c.find(ctx, key, now)
		if !ok {
			c.figures.passed.Add(1)
			c.figures.unused.Add(int64(i)) // GetAll counts them
			return nil, false
		}
		if stale {
			outOfDate++
		}
		answers[i] = Answer[V]{e.value, e.missing}
	}
	c.figures.stale.Add(int64(outOfDate))
	return answers, true
}
