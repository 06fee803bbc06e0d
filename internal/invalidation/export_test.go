package invalidation

import "warmline.dev/edgelayer/warm"

// Untold is what waits for the bus.
func (l *Link) Untold() []warm.Invalidation {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.untold.list
}
