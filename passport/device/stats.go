package device

import "time"

// Stats is what a [Devices] has done, for metrics.
type Stats struct {
	Version uint64        // in use
	Newest  uint64        // held
	Pinned  uint64        // to be used; 0: the newest
	Age     time.Duration // of the data in use, since it was made
	Rows    int           // ESN prefixes in use

	Taken   uint64 // snapshots and deltas that were new
	Refused uint64 // those that were not what they should be, or not for here
	Asked   uint64 // snapshots that were asked for
}

// Stats returns the figures as they are now.
func (d *Devices) Stats() Stats {
	d.mu.Lock()
	newest, pinned := d.newest().version, d.pin
	d.mu.Unlock()
	t := d.Table()
	return Stats{
		Version: t.version, Newest: newest, Pinned: pinned, Age: d.Age(), Rows: t.Len(),
		Taken: d.taken.Load(), Refused: d.refused.Load(), Asked: d.asked.Load(),
	}
}
