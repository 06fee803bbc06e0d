package revocation

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"warmline.dev/passport"
)

const (
	defaultWindow  = 8 * time.Hour
	defaultMargin  = 5 * time.Second
	defaultStale   = 5 * time.Minute
	defaultEntries = 1 << 20
	leastEntries   = 100
	mostEntries    = maxEntries * maxParts

	maxRecent = 4096        // entries that wait for the filter to be built anew
	tendEvery = time.Minute // and how long they do
)

// SetConfig is how a [Set] behaves. 0 is the default, negative is off.
type SetConfig struct {
	// Keys verify messages; the first signs what the set asks. Best a keyring of its
	// own, so that who publishes can't mint passports. At least one.
	Keys []passport.Key

	// Window is how long entries are held: as long as a cookie can be trusted without
	// the account source being asked, the time in which a stale one is honoured
	// included. Default 8 hours, at most 45 days.
	Window time.Duration

	// Margin is how much the clocks of any two machines may differ: those of gateways,
	// publishers and the account source. A cookie that was issued up to so much after
	// an entry is in question, too. Default 5 seconds, at most an hour; negative: none.
	Margin time.Duration

	// Stale is the age at which the set says so. Default 5 minutes; negative: never,
	// once it has been complete.
	Stale time.Duration

	// MaxEntries bounds how many ids are held, from 100 to 5,120,000. Default
	// 1,048,576, which takes 16 MB. Beyond, the oldest leave, and all cookies from
	// before the last of them are in question.
	MaxEntries int

	// Build makes the filter. Default [BuildFuse].
	Build Build
}

func (cfg SetConfig) withDefaults() (SetConfig, error) {
	var err error
	cfg.Window, cfg.Margin, cfg.MaxEntries, err = defaults(cfg.Window, cfg.Margin, cfg.MaxEntries)
	if cfg.Stale == 0 {
		cfg.Stale = defaultStale
	}
	if cfg.Build == nil {
		cfg.Build = BuildFuse
	}
	return cfg, err
}

// defaults are those that a set and a window have in common.
func defaults(window, margin time.Duration, entries int) (time.Duration, time.Duration, int, error) {
	if window == 0 {
		window = defaultWindow
	}
	if margin == 0 {
		margin = defaultMargin
	}
	if entries == 0 {
		entries = defaultEntries
	}
	switch {
	case window < time.Second || window > 45*24*time.Hour:
		return 0, 0, 0, fmt.Errorf("revocation: Window: %v, expected 1s to 1080h", window)
	case margin > time.Hour:
		return 0, 0, 0, fmt.Errorf("revocation: Margin: %v, expected at most 1h", margin)
	case entries < leastEntries || entries > mostEntries:
		return 0, 0, 0, fmt.Errorf("revocation: MaxEntries: %d, expected %d to %d", entries, leastEntries, mostEntries)
	}
	return window, max(margin, 0), entries, nil
}

// Set is what a gateway holds: the ids whose account changed within the window,
// and when. Make it with [NewSet]. All methods are safe for concurrent use, and it
// has no goroutines and nothing to close.
type Set struct {
	cfg    SetConfig
	keys   *keys
	margin int64 // in seconds
	begun  time.Time

	// A publisher's set of what others publish.
	self    uint64        // the epoch that is the publisher's own
	learned func([]entry) // is given what others have told, if not nil

	state atomic.Pointer[state]
	asOf  atomic.Int64 // what was known then was complete; milliseconds since 1970, 0 if it never was

	mu sync.Mutex
	// guarded by mu
	streams streams
	tended  time.Time
	oldest  uint32 // the oldest entry that is held
	counts  Stats
}

// state is what the set knows at a time. It does not change.
type state struct {
	margin int64
	every  int64  // when the account behind every id changed; -1: it did not
	recent *table // since the filter was built
	held   *table
	filter Filter // of held; nil if there is none, and then held is asked at once
}

// NewSet makes an empty set, and says what is wrong with cfg.
func NewSet(cfg SetConfig) (*Set, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	k, err := newKeys(cfg.Keys)
	if err != nil {
		return nil, err
	}
	s := &Set{cfg: cfg, keys: k, margin: wholeSeconds(cfg.Margin), begun: time.Now()}
	s.tended = s.begun
	s.cfg.Keys = nil
	s.store(tableOf(nil, sparse), tableOf(nil, dense), nil)
	return s, nil
}

// ReplaceKeys has the set verify with these keys and no others, and sign with the first.
// What it has taken stays. The error is about keys that [NewSet] refuses, and then
// nothing has changed.
func (s *Set) ReplaceKeys(keys ...passport.Key) error { return s.keys.replace(keys) }

// Revoked reports whether a cookie can't be trusted without asking the account
// source: the account behind its id may have changed after it was issued. It is
// never wrong about one that has, as far as the set has been told. It is wrong
// about one that has not if another id has the same hash of 64 bits, and about
// those issued within the margin and a second after the change.
//
// It waits for nothing and does not allocate. A set that was never complete knows
// too little: ask [Set.Stale] too.
func (s *Set) Revoked(id string, issued time.Time) bool {
	now := s.state.Load()
	since := max(issued.Unix(), 0) - now.margin // a change then, or later, counts
	hash := Hash(id)
	if at, ok := now.recent.find(hash); ok && int64(at) >= since {
		return true
	}
	if now.filter == nil || now.filter.Contains(hash) {
		if at, ok := now.held.find(hash); ok && int64(at) >= since {
			return true
		}
	}
	return now.every >= since && now.every >= 0
}

// Take takes a message from the bus. The error wraps [ErrMalformed], [ErrForged] or
// [ErrOld]; the message has changed nothing then. The last of them is nothing to
// worry about, unless it is all that comes. The data is the caller's again when
// Take returns.
func (s *Set) Take(data []byte) error {
	k, body, err := s.keys.open(data)
	var m any
	if err == nil {
		m, err = parse(k, body)
	}
	var entries []entry
	s.mu.Lock()
	if err == nil {
		entries, err = s.take(m, time.Now())
	}
	switch {
	case errors.Is(err, ErrForged):
		s.counts.Forged++
	case errors.Is(err, ErrMalformed):
		s.counts.Malformed++
	case errors.Is(err, ErrOld):
		s.counts.Old++
	}
	s.mu.Unlock()
	if len(entries) > 0 && s.learned != nil {
		s.learned(entries)
	}
	return err
}

// take takes a message apart. It is called under mu.
func (s *Set) take(m any, now time.Time) (entries []entry, err error) {
	var h head
	var all bool // a snapshot is there
	var from *stream
	switch m := m.(type) {
	case ask:
		return nil, fmt.Errorf("%w: an ask, which is for publishers", ErrMalformed)
	case change:
		h, entries = m.head, m.entries
		if from, err = s.from(h, now); from != nil {
			err = from.change(h, now)
		}
		s.counts.Changes += one(err)
	case beat:
		if from, err = s.from(m.head, now); from != nil {
			err = from.beat(m, now, s.holds)
		}
		s.counts.Beats += one(err)
	case part:
		h, entries = m.head, m.entries
		if from, err = s.from(h, now); from != nil {
			all, err = from.part(m, now)
		}
		if all {
			s.counts.Snapshots++
		}
	}
	if from == nil || err != nil {
		return nil, err
	}
	s.add(entries, now)
	s.tend(now, all)
	if s.streams.whole(now) {
		s.asOf.Store(max(s.asOf.Load(), from.heard.UnixMilli()))
	}
	return entries, nil
}

func one(err error) uint64 {
	if err != nil {
		return 0
	}
	return 1
}

// from is the stream that a message belongs to; nil if it is a publisher's own.
func (s *Set) from(h head, now time.Time) (*stream, error) {
	if h.epoch == s.self && s.self != 0 {
		return nil, nil
	}
	return s.streams.of(h, now)
}

// holds reports whether the set holds what a publisher does.
func (s *Set) holds(m beat) bool {
	now := s.state.Load()
	all := merge(now.held, now.recent, m.since, dense)
	if len(all.ids) != int(m.count) {
		return false
	}
	_, sum := all.digest(m.since)
	return sum == m.sum
}

// add takes entries that are sorted. What happened has happened before it is told,
// so a time that is yet to come is a clock's mistake.
func (s *Set) add(entries []entry, now time.Time) {
	st := s.state.Load()
	oldest, latest := s.leave(now), uint32(min(int64(seconds(now))+s.margin, math.MaxUint32))
	var news []entry
	for _, e := range entries {
		e.at = min(e.at, latest)
		if e.at < oldest || int64(e.at) <= st.every {
			continue
		}
		if at, ok := st.recent.find(e.id); ok && at >= e.at {
			continue
		}
		if at, ok := st.held.find(e.id); ok && at >= e.at {
			continue
		}
		news = append(news, e)
	}
	if len(news) > 0 {
		s.store(merge(st.recent, tableOf(news, sparse), oldest, sparse), st.held, st.filter)
	}
}

// leave is the time of the oldest entry that still matters: every cookie that is
// older is not trusted any more, by this clock.
func (s *Set) leave(now time.Time) uint32 {
	return uint32(max(0, now.Unix()-wholeSeconds(s.cfg.Window)-s.margin))
}

// store has all checks see what is known from now on.
func (s *Set) store(recent, held *table, f Filter) {
	st := &state{margin: s.margin, every: -1, recent: recent, held: held, filter: f}
	for _, t := range []*table{recent, held} {
		if at, ok := t.find(everyone); ok {
			st.every = max(st.every, int64(at))
		}
	}
	s.state.Store(st)
}

// tend moves what is recent into the filter, and lets go of what is too old, when
// that is due.
func (s *Set) tend(now time.Time, all bool) {
	st := s.state.Load()
	recent := len(st.recent.ids)
	switch due := now.Sub(s.tended) >= tendEvery; {
	case recent > 0 && (all || due):
	case recent > maxRecent && !s.streams.partly(), recent > s.cfg.MaxEntries:
	case due && s.oldest < s.leave(now) && len(st.held.ids) > 0:
	default:
		return
	}
	s.tended = now
	oldest := max(int64(s.leave(now)), st.every) // what is older than everyone's change says nothing
	held := bound(merge(st.held, st.recent, uint32(oldest), dense), s.cfg.MaxEntries, dense)
	s.oldest = math.MaxUint32
	for _, at := range held.at {
		s.oldest = min(s.oldest, at)
	}
	var f Filter
	if len(held.ids) > 0 {
		var err error
		if f, err = s.cfg.Build(held.ids); err != nil {
			f = nil // checks are slower, and right
			s.counts.BuildsFailed++
		}
	}
	s.counts.Builds++
	s.counts.BuildTime = time.Since(now)
	s.store(tableOf(nil, sparse), held, f)
}

// Gap tells the set that it may have missed something. It is not complete until a
// publisher has said what there is.
func (s *Set) Gap() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Gaps++
	for _, from := range s.streams {
		from.missed()
	}
}

// Complete reports that a publisher was heard within the last 35 seconds, and that
// nothing that any of them has told is missing.
func (s *Set) Complete() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streams.whole(time.Now())
}

// Age is how long ago the set was known to be complete, by the publishers' clocks;
// since [NewSet] if it never was.
func (s *Set) Age() time.Duration {
	at := s.begun
	if ms := s.asOf.Load(); ms > 0 {
		at = time.UnixMilli(ms)
	}
	return max(0, time.Since(at))
}

// Stale reports that the set was never complete, or is older than
// [SetConfig].Stale. What to do then is the gateway's business: to ask the account
// source about every cookie, or to refuse them. It waits for nothing.
func (s *Set) Stale() bool {
	ms := s.asOf.Load()
	return ms == 0 || s.cfg.Stale >= 0 && time.Since(time.UnixMilli(ms)) > s.cfg.Stale
}
