package revocation

import (
	"fmt"
	"slices"
	"time"
)

const (
	// silence is what makes a publisher one that is gone: three beats are missing.
	silence = 35 * time.Second

	maxAhead = 1024 // changes that came before their turn and are remembered
)

// stream is what is known of what one publisher says. Its numbers tell whether
// something was missed; the entries themselves are taken whatever they are.
type stream struct {
	epoch  uint64
	sent   int64     // the latest message's, by the publisher's clock
	heard  time.Time // the same, but not later than when it came
	told   uint64    // the publisher has told so many changes
	based  bool      // all that was there before through has been heard
	seq    uint64    // if based, all changes through this one have been heard
	ahead  []uint64  // changes heard beyond seq, sorted
	unsure bool      // since a gap, nothing has told whether something was missed
	gap    int64     // sent, when the last gap was told

	parts   map[uint16]bool // of a snapshot that have come; nil when none is missing
	partsOf int64           // when the last snapshot was sent
}

// whole reports that nothing of what the publisher has told is missing.
func (s *stream) whole() bool { return s.based && !s.unsure && s.seq == s.told }

func (s *stream) hear(h head, now time.Time) {
	s.told = max(s.told, h.seq)
	if h.sent > s.sent {
		s.sent = h.sent
		s.heard = earlier(time.UnixMilli(h.sent), now)
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// missed notes that something may have been missed.
func (s *stream) missed() { s.unsure, s.gap = true, s.sent }

// base notes that all through seq has been heard, as what was sent then tells.
func (s *stream) base(seq uint64, sent int64) {
	s.based = true
	s.seq = max(s.seq, seq)
	s.unsure = s.unsure && sent <= s.gap
	s.advance()
}

// advance takes into account the changes that came before their turn.
func (s *stream) advance() {
	for len(s.ahead) > 0 && s.based && s.ahead[0] <= s.seq+1 {
		s.seq = max(s.seq, s.ahead[0])
		s.ahead = s.ahead[1:]
	}
}

// change notes that a change is heard, unless it was before.
func (s *stream) change(h head, now time.Time) error {
	i, found := slices.BinarySearch(s.ahead, h.seq)
	if found || s.based && h.seq <= s.seq {
		return fmt.Errorf("%w: change %d has been taken", ErrOld, h.seq)
	}
	s.ahead = slices.Insert(s.ahead, i, h.seq)
	if len(s.ahead) > maxAhead {
		s.ahead = slices.Delete(s.ahead, 0, 1) // only a snapshot can help anyway
		s.based = false
	}
	s.hear(h, now)
	s.advance()
	return nil
}

// beat notes how far the publisher is. Same is asked, when something is missing,
// whether the publisher holds what is held here.
func (s *stream) beat(m beat, now time.Time, same func(beat) bool) error {
	if m.sent <= s.sent {
		return fmt.Errorf("%w: a beat of %d ms before the last message", ErrOld, s.sent-m.sent)
	}
	s.hear(m.head, now)
	if s.based && s.seq >= m.seq {
		s.unsure = false
	} else if same(m) {
		s.base(m.seq, m.sent)
	}
	return nil
}

// part notes a part of a snapshot, and tells whether it was the last that was
// missing.
func (s *stream) part(m part, now time.Time) (last bool, err error) {
	switch {
	case s.based && m.seq <= s.seq && (!s.unsure || m.sent <= s.gap):
		return false, fmt.Errorf("%w: a snapshot after change %d, with all through %d taken", ErrOld, m.seq, s.seq)
	case m.sent < s.partsOf:
		return false, fmt.Errorf("%w: a snapshot of %d ms before the last one", ErrOld, s.partsOf-m.sent)
	case m.sent > s.partsOf:
		s.parts, s.partsOf = map[uint16]bool{}, m.sent
	case s.parts == nil || s.parts[m.n]:
		return false, fmt.Errorf("%w: part %d of a snapshot has been taken", ErrOld, m.n)
	}
	s.parts[m.n] = true
	s.hear(m.head, now)
	if len(s.parts) < int(m.of) {
		return false, nil
	}
	s.parts = nil
	s.base(m.seq, m.sent)
	return true, nil
}

// streams are those of all publishers that are heard.
type streams []*stream

// of is a publisher's stream, a new one if need be. The one that was heard longest
// ago makes room, if that is before this message was sent.
func (l *streams) of(h head, now time.Time) (*stream, error) {
	for _, s := range *l {
		if s.epoch == h.epoch {
			return s, nil
		}
	}
	fresh := &stream{epoch: h.epoch}
	if len(*l) < maxMarks {
		*l = append(*l, fresh)
		return fresh, nil
	}
	oldest := slices.MinFunc(*l, func(a, b *stream) int { return a.heard.Compare(b.heard) })
	if !oldest.heard.Before(earlier(time.UnixMilli(h.sent), now)) {
		return nil, fmt.Errorf("%w: of a publisher beyond the %d that are heard", ErrOld, maxMarks)
	}
	*oldest = *fresh
	return oldest, nil
}

// whole reports that a publisher is there and that of nothing that one who is
// there has told something is missing.
func (l streams) whole(now time.Time) bool {
	live := 0
	for _, s := range l {
		if s.live(now) {
			live++
			if !s.whole() {
				return false
			}
		}
	}
	return live > 0
}

// live reports that the publisher was heard of late.
func (s *stream) live(now time.Time) bool { return now.Sub(s.heard) <= silence }

// partly reports that parts of a snapshot are still to come.
func (l streams) partly() bool {
	for _, s := range l {
		if s.parts != nil {
			return true
		}
	}
	return false
}
