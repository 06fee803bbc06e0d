package revocation

import "time"

// Stats are figures of a [Set]. Those without a unit are counts since [NewSet].
type Stats struct {
	Entries     int // ids held now
	FilterBytes int // memory of the filter, which all checks read
	Bytes       int // memory of filter and entries

	Complete   bool
	Stale      bool
	Age        time.Duration
	Publishers int // heard within the last 35 seconds

	Changes   uint64 // messages taken that tell of changes
	Beats     uint64 // messages taken that tell how far a publisher is
	Snapshots uint64 // taken as a whole

	Forged    uint64 // messages refused: by no key known here
	Malformed uint64 // messages refused: not of the form
	Old       uint64 // messages refused: nothing new
	Gaps      uint64 // that the set was told of

	Builds       uint64 // of the filter
	BuildsFailed uint64
	BuildTime    time.Duration // of the last
}

// Stats returns them as they are now. It may wait for a build.
func (s *Set) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, st := time.Now(), s.state.Load()
	c := s.counts
	c.Entries = len(st.held.ids)
	for _, id := range st.recent.ids {
		if _, ok := st.held.find(id); !ok {
			c.Entries++
		}
	}
	if st.filter != nil {
		c.FilterBytes = st.filter.Bytes()
	}
	c.Bytes = c.FilterBytes + st.held.bytes() + st.recent.bytes()
	c.Complete, c.Stale, c.Age = s.streams.whole(now), s.Stale(), s.Age()
	for _, from := range s.streams {
		if from.live(now) {
			c.Publishers++
		}
	}
	return c
}
