package revocation

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

// WindowConfig says what a [Window] keeps, and where. 0 is the default, negative is
// off.
type WindowConfig struct {
	// Path is the file in which entries survive a restart; the file beside it whose
	// name ends in .lock keeps others away, and one in .new is there for moments. In a
	// folder that is there, readable by the publisher alone. "" (default): in memory
	// only, for publishers that always find another one running.
	Path string

	// Window, Margin and MaxEntries are as for [SetConfig], and should be the same.
	Window     time.Duration
	Margin     time.Duration
	MaxEntries int
}

// Window is what a publisher keeps: of each id whose account changed, when it did
// last. Open it with [OpenWindow]; who opens it closes it. All methods are safe for
// concurrent use.
type Window struct {
	cfg   WindowConfig
	leave int64 // after so many seconds nothing matters any more

	disk sync.Mutex // held while the file is used; before mu
	// guarded by disk
	journal *journal // nil: in memory only
	closed  bool

	mu sync.Mutex
	// guarded by mu
	held      *table
	fresh     map[uint64]uint32 // what was added since held was made
	every     int64             // when everybody's account changed; -1: never
	unwritten []entry
	anew      bool // the file must be written as a whole
	stats     WindowStats
}

// WindowStats are figures of a [Window]. Those without a unit are counts since
// [OpenWindow].
type WindowStats struct {
	Entries  int    // ids kept now
	Loaded   int    // records that were in the file
	Broken   int    // and those that could not be read
	Added    uint64 // entries that were news
	Known    uint64 // and that were not
	TooOld   uint64 // events from before the window
	Full     uint64 // times that the oldest had to leave for want of room
	Synced   uint64 // times that something was put on disk
	Rewrites uint64 // of the whole file
	Failures uint64 // to put it on disk
}

var errWindowClosed = errors.New("revocation: the window is closed")

// OpenWindow opens a window with what its file has. A file that is not there is
// begun. What a crash or the disk has broken in it is left out, and
// [WindowStats].Broken says how much. The error is about cfg, a file that is in use,
// or one that is none of this package.
func OpenWindow(cfg WindowConfig) (*Window, error) {
	var err error
	if cfg.Window, cfg.Margin, cfg.MaxEntries, err = defaults(cfg.Window, cfg.Margin, cfg.MaxEntries); err != nil {
		return nil, err
	}
	w := &Window{cfg: cfg, held: tableOf(nil, dense), fresh: map[uint64]uint32{}, every: -1}
	w.leave = wholeSeconds(cfg.Window) + 2*wholeSeconds(cfg.Margin)
	if cfg.Path == "" {
		return w, nil
	}
	now := time.Now()
	var broken int
	w.journal, broken, err = openJournal(cfg.Path, func(e entry) { w.add([]entry{e}, now) })
	if err != nil {
		return nil, err
	}
	w.stats = WindowStats{Entries: w.stats.Entries, Loaded: w.journal.records, Broken: broken}
	w.unwritten = nil
	w.anew = w.journal.file == nil || broken > 0
	if err := w.Sync(); err != nil { // rather now than with the first that is signed out
		w.journal.close()
		return nil, err
	}
	return w, nil
}

// Add notes that the account behind an id changed, at a time by the account source's
// clock; at one that is zero or still to come, now. It reports whether that is news.
// It is in memory then, and on disk after [Window.Sync].
func (w *Window) Add(id string, at time.Time) bool {
	now := time.Now()
	return len(w.add([]entry{{Hash(id), happened(at, now)}}, now)) > 0
}

// happened is when something that has happened did, whatever a clock says.
func happened(at, now time.Time) uint32 {
	if at.IsZero() || at.After(now) {
		at = now
	}
	return seconds(at)
}

// add notes entries and returns those that are news.
func (w *Window) add(entries []entry, now time.Time) (news []entry) {
	latest := uint32(min(int64(seconds(now))+wholeSeconds(w.cfg.Margin), math.MaxUint32))
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range entries {
		e.at = min(e.at, latest)
		switch {
		case int64(e.at) < now.Unix()-w.leave:
			w.stats.TooOld++
		case int64(e.at) <= w.every || w.last(e.id) >= int64(e.at):
			w.stats.Known++
		default:
			news = append(news, e)
			w.note(e)
		}
	}
	w.stats.Added += uint64(len(news))
	if len(w.held.ids)+len(w.fresh) > w.cfg.MaxEntries {
		w.settle(now)
		if most := w.cfg.MaxEntries; len(w.held.ids) > most {
			w.stats.Full++
			w.held = bound(w.held, most, dense)
			e := entry{everyone, w.held.at[0]}
			news = append(news, e)
			w.note(e)
		}
	}
	w.stats.Entries = len(w.held.ids) + len(w.fresh)
	if w.cfg.Path != "" {
		w.unwritten = append(w.unwritten, news...)
	}
	if len(w.unwritten) > w.cfg.MaxEntries { // the disk hangs, or nobody calls Sync
		w.unwritten, w.anew = nil, true
	}
	return news
}

// last is when an id's account changed last, as far as is known; -1: it did not.
func (w *Window) last(id uint64) int64 {
	if at, ok := w.fresh[id]; ok {
		return int64(at)
	}
	if at, ok := w.held.find(id); ok {
		return int64(at)
	}
	return -1
}

func (w *Window) note(e entry) {
	w.fresh[e.id] = e.at
	if e.id == everyone {
		w.every = max(w.every, int64(e.at))
	}
}

// settle makes one table of what is held and what is fresh, without what is too old.
func (w *Window) settle(now time.Time) {
	fresh := make([]entry, 0, len(w.fresh))
	for id, at := range w.fresh {
		fresh = append(fresh, entry{id, at})
	}
	clear(w.fresh)
	oldest := max(0, now.Unix()-w.leave, w.every)
	w.held = merge(w.held, tableOf(fresh, dense), uint32(oldest), dense)
	w.stats.Entries = len(w.held.ids)
}

// all is what matters now.
func (w *Window) all() *table {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settle(time.Now())
	return w.held
}

// Sync returns when all that was added is on disk, as far as the disk tells the
// truth. After an error the file has what it had, perhaps more, and the next Sync
// writes it as a whole.
func (w *Window) Sync() error {
	w.disk.Lock()
	defer w.disk.Unlock()
	if w.closed {
		return errWindowClosed
	}
	if w.journal == nil {
		return nil
	}
	w.mu.Lock()
	entries, anew := w.unwritten, w.anew
	anew = anew || w.journal.records+len(entries) > 2*w.stats.Entries+maxRecent
	w.unwritten, w.anew = nil, false
	w.mu.Unlock()
	var err error
	switch {
	case anew:
		err = w.journal.rewrite(w.all())
	case len(entries) > 0:
		err = w.journal.append(entries)
	default:
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.anew = true
		w.stats.Failures++
		return fmt.Errorf("revocation: put the window on disk: %w", err)
	}
	w.stats.Synced++
	if anew {
		w.stats.Rewrites++
	}
	return nil
}

// Stats returns them as they are now.
func (w *Window) Stats() WindowStats {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stats
}

// Close puts what was added on disk and closes the file. It may be called twice.
func (w *Window) Close() error {
	err := w.Sync()
	w.disk.Lock()
	defer w.disk.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	if w.journal != nil {
		w.journal.close()
	}
	return err
}
