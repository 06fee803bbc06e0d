package device

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// ErrNotHeld is wrapped by the error of [Devices.Pin] for a version that has not
// come, or has gone again.
var ErrNotHeld = errors.New("device: that version is not held here")

// Pin uses one version, of those held, and no other until it is changed: to go back,
// or to stay. Later ones are still taken, and held, and not used. 0 uses the newest
// again. The error wraps [ErrNotHeld], lists what is held, and changes nothing.
func (d *Devices) Pin(version uint64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.newest()
	if version != 0 {
		if t = d.find(version); t == nil {
			return fmt.Errorf("%w: %d, expected one of %v, or 0 for the newest", ErrNotHeld, version, d.versions())
		}
	}
	d.pin = version
	d.current.Store(t)
	d.drop()
	return nil
}

// Pinned is the only version that is to be used, 0 if that is the newest. The one in
// use is another while Config.Pin has not come.
func (d *Devices) Pinned() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pin
}

// Versions are those that are held, which [Devices.Pin] takes, in order.
func (d *Devices) Versions() []uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.versions()
}

func (d *Devices) versions() []uint64 {
	all := make([]uint64, len(d.held))
	for n, t := range d.held {
		all[n] = t.version
	}
	return all
}

// put holds a table, in the place of another of the same version, and uses it if it
// is the one to be used.
func (d *Devices) put(t *Table) {
	n, there := slices.BinarySearchFunc(d.held, t, func(a, b *Table) int { return cmp.Compare(a.version, b.version) })
	if there {
		d.held[n] = t
	} else {
		d.held = slices.Insert(d.held, n, t)
	}
	if d.pin == t.version || d.pin == 0 { // unpinned, only what is newest comes here
		d.current.Store(t)
	}
	d.drop()
}

// drop drops the oldest of what is too much: never the newest, nor what is used.
func (d *Devices) drop() {
	current := d.current.Load()
	for n := 0; len(d.held) > d.keep && n < len(d.held)-1; {
		if d.held[n] == current {
			n++
			continue
		}
		d.held = slices.Delete(d.held, n, n+1)
	}
}
