package edge

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"warmline.dev/edgelayer/declare"
	"warmline.dev/edgelayer/source"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/handover"
	"warmline.dev/protocol"
)

// behind is what stands behind the edge's services now: a reload replaces it.
type behind struct {
	tier atomic.Pointer[declare.Tier]
	// warming ends with the edge: what was hot is loaded again in the background.
	warming context.Context
	running sync.WaitGroup
}

// Invalidate drops what has changed at a source.
func (b *behind) Invalidate(i warm.Invalidation) int { return b.tier.Load().Invalidate(i) }

// DropAll drops everything, and loads again what was hottest, so that an edge which
// the bus has come back to is not cold for long.
func (b *behind) DropAll() {
	const (
		hottest = 1 << 20 // bytes of each cache
		atMost  = 10 * time.Second
	)
	t := b.tier.Load()
	hot := map[*warm.Cache[protocol.Raw]][]string{}
	for _, c := range t.Caches() {
		for _, e := range c.Hottest(hottest) {
			hot[c] = append(hot[c], e.Key)
		}
	}
	t.DropAll()
	for c, keys := range hot {
		b.running.Go(func() {
			ctx, cancel := context.WithTimeout(b.warming, atMost)
			defer cancel()
			c.Warm(ctx, keys)
		})
	}
}

// memories are the caches as edges hand them over.
func (b *behind) memories() []handover.Memory {
	t := b.tier.Load()
	var memories []handover.Memory
	for _, c := range t.Caches() {
		name := c.Source() + "." + c.Name()
		memories = append(memories, handover.Memory{Name: name, Shape: t.Shape(c), Cache: c})
	}
	return memories
}

// figures are those for edge.stats.
func (b *behind) figures() (map[string]warm.Stats, map[string]source.Stats) {
	t := b.tier.Load()
	caches, sources := map[string]warm.Stats{}, map[string]source.Stats{}
	for _, c := range t.Caches() {
		caches[c.Source()+"."+c.Name()] = c.Stats()
	}
	for _, s := range t.Sources() {
		sources[s.Name()] = s.Stats()
	}
	return caches, sources
}
