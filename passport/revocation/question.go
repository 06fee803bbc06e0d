package revocation

import "time"

// question is what who holds the set asks publishers.
func (s *Set) question(epoch uint64) []byte {
	s.mu.Lock()
	marks := s.streams.marks()
	s.mu.Unlock()
	m := ask{head{epoch: epoch, sent: time.Now().UnixMilli()}, marks}
	return s.keys.seal(kindAsk, m.body())
}

// marks are how far the publishers have been heard.
func (l streams) marks() (marks []mark) {
	for _, s := range l {
		if s.based {
			marks = append(marks, mark{s.epoch, s.seq})
		}
	}
	return marks
}

// hears reports that any publisher is there.
func (s *Set) hears(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, from := range s.streams {
		if from.live(now) {
			return true
		}
	}
	return false
}
