package invalidation

import (
	"slices"

	"warmline.dev/edgelayer/warm"
)

// Untold is what waits for the bus.
func (l *Link) Untold() []warm.Invalidation {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.untold.list)
}
