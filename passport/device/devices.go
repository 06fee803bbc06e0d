package device

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultKeep = 4
	maxKeep     = 16

	maxAhead = 24 * time.Hour // clocks and time zones differ
	askAgain = time.Second    // how long a delta that doesn't fit waits for what another has asked for
)

// ErrOld is wrapped by the error of [Devices.Take] for a version that is held
// already, in another form, or that a later one has taken the place of.
var ErrOld = errors.New("device: there is a later version here")

// Config says what a [Devices] begins with and whom it believes. The zero value has
// the embedded table and believes nobody.
type Config struct {
	// Keyring opens what is published. Default: none, so that nothing is taken.
	Keyring *Keyring

	// Table is used from the start. Default: [Embedded].
	Table *Table

	// Keep is how many versions are held, for [Devices.Pin]. Default 4, at most 16;
	// negative: the newest, and the one in use.
	Keep int

	// Pin is the only version that is used, as by [Devices.Pin]. Until it has come,
	// Table is. Default 0: the newest.
	Pin uint64

	// Ask has a snapshot published, of the newest version where version is 0. It is
	// called by who calls Take or Gap, must not wait, and may call neither. What it
	// asks for may never come. Default: nobody is asked.
	Ask func(version uint64)
}

// Devices says of which type a device is, by the newest table that a publisher has
// signed. Make it with [New]. All methods are safe for concurrent use; [Devices.Lookup]
// waits for nobody. It has no goroutine and is not closed.
type Devices struct {
	keyring *Keyring
	keep    int
	ask     func(version uint64)

	current atomic.Pointer[Table] // what is used

	taken, refused, asked atomic.Uint64

	mu sync.Mutex
	// guarded by mu
	held  []*Table  // by version: the newest is the last
	pin   uint64    // 0: the newest is used
	askAt time.Time // when a delta asked last for a snapshot that has not come
}

// New holds the table to begin with. The error is about Keep.
func New(c Config) (*Devices, error) {
	switch {
	case c.Keep > maxKeep:
		return nil, fmt.Errorf("device: Keep %d, expected at most %d", c.Keep, maxKeep)
	case c.Keep == 0:
		c.Keep = defaultKeep
	case c.Keep < 0:
		c.Keep = 1
	}
	if c.Table == nil {
		c.Table = Embedded()
	}
	if c.Ask == nil {
		c.Ask = func(uint64) {}
	}
	d := &Devices{keyring: c.Keyring, keep: c.Keep, ask: c.Ask, held: []*Table{c.Table}, pin: c.Pin}
	d.current.Store(c.Table)
	return d, nil
}

// Lookup is [Table.Lookup] of the table in use.
func (d *Devices) Lookup(esn, userAgent string) Type { return d.current.Load().Lookup(esn, userAgent) }

// Table is the one in use.
func (d *Devices) Table() *Table { return d.current.Load() }

// Version is that of the table in use.
func (d *Devices) Version() uint64 { return d.Table().Version() }

// Age is how long ago the data in use was made, whenever it came here; 0 if its
// maker's clock is ahead.
func (d *Devices) Age() time.Duration { return max(0, time.Since(d.Table().Made())) }

// Take takes a sealed snapshot or delta as it was published. A snapshot is taken if
// its version is higher than the newest held, if it has the same version and was
// made later, or if it is the one that is pinned; a delta, if the newest held is
// what it is for. What is held already is no error. Any other error changes nothing,
// and wraps [ErrMalformed], [ErrForged], [ErrOld] or, where a snapshot was asked for,
// [ErrGap].
func (d *Devices) Take(sealed []byte) error {
	taken, err := d.take(sealed)
	switch {
	case err != nil:
		d.refused.Add(1)
	case taken:
		d.taken.Add(1)
	}
	if errors.Is(err, ErrGap) {
		d.gap()
	}
	return err
}

func (d *Devices) take(sealed []byte) (taken bool, err error) {
	h, err := d.keyring.openHead(sealed)
	if err != nil {
		return false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.has(&h) {
		return false, nil
	}
	var t *Table
	if h.kind == kindDelta {
		t, err = d.next(&h)
	} else {
		t, err = d.whole(&h)
	}
	if err != nil {
		return false, err
	}
	if ahead := time.Until(t.made); ahead > maxAhead {
		return false, fmt.Errorf("%w: version %d was made %v from now, expected a clock that is right to a day", ErrMalformed, t.version, ahead.Round(time.Hour))
	}
	d.put(t)
	if h.kind == kindSnapshot {
		d.askAt = time.Time{}
	}
	return true, nil
}

// has reports whether what a message makes is held.
func (d *Devices) has(h *head) bool {
	t := d.find(h.version)
	return t != nil && t.Digest() == h.result
}

func (d *Devices) find(version uint64) *Table {
	for _, t := range d.held {
		if t.version == version {
			return t
		}
	}
	return nil
}

func (d *Devices) newest() *Table { return d.held[len(d.held)-1] }

// next makes the table that a delta makes of the newest.
func (d *Devices) next(h *head) (*Table, error) {
	newest := d.newest()
	if h.version <= newest.version {
		return nil, fmt.Errorf("%w: %d, and the delta makes version %d", ErrOld, newest.version, h.version)
	}
	delta, err := h.delta()
	if err != nil {
		return nil, err
	}
	t, err := delta.Apply(newest)
	if err != nil && !errors.Is(err, ErrGap) {
		err = fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return t, err
}

// whole reads a snapshot, if it may be taken.
func (d *Devices) whole(h *head) (*Table, error) {
	newest := d.newest()
	if h.version < newest.version && h.version != d.pin {
		return nil, fmt.Errorf("%w: %d, and the snapshot is version %d", ErrOld, newest.version, h.version)
	}
	t, err := h.snapshot()
	if err != nil {
		return nil, err
	}
	if there := d.find(t.version); there != nil && !t.made.After(there.made) {
		return nil, fmt.Errorf("%w: another table is version %d too, and was not made before this one: expected the next version, or a later time", ErrOld, t.version)
	}
	return t, nil
}

// Gap is called when what was published may have been missed: a bus says so when it
// is there for the first time, and when it is back. It asks for a snapshot.
func (d *Devices) Gap() {
	d.mu.Lock()
	version := d.missing()
	d.mu.Unlock()
	d.askFor(version)
}

// gap is Gap, for a delta that doesn't fit. Those that follow it don't fit either.
func (d *Devices) gap() {
	d.mu.Lock()
	now := time.Now()
	waits := now.Sub(d.askAt) < askAgain
	if !waits {
		d.askAt = now
	}
	version := d.missing()
	d.mu.Unlock()
	if !waits {
		d.askFor(version)
	}
}

// missing is the version to ask for, 0 for the newest.
func (d *Devices) missing() uint64 {
	if d.pin != 0 && d.find(d.pin) == nil {
		return d.pin
	}
	return 0
}

func (d *Devices) askFor(version uint64) {
	d.asked.Add(1)
	d.ask(version)
}
