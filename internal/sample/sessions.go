package sample

import (
	"crypto/rand"
	"encoding/hex"
)

// maxSessions bounds those that are known: a new one takes the place of the
// oldest.
const maxSessions = 10_000

type session struct {
	customer string // "" if it was ended without having been known
	ended    bool
}

// sessions are the ones that began or ended here. One that is not known is good:
// it began before this process did, and whoever has a cookie of it was signed in.
type sessions struct {
	byID map[string]*session
	ids  []string // in the order in which they came, a ring once it is full
	next int
}

func newSessions() sessions { return sessions{byID: make(map[string]*session)} }

// begin makes a session: 128 random bits in hex.
func (s *sessions) begin(customer string) string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails, by its documentation
	id := hex.EncodeToString(raw[:])
	s.add(id, &session{customer: customer})
	return id
}

// end returns whose session it was, if that is known.
func (s *sessions) end(id string) (customer string) {
	one, ok := s.byID[id]
	if !ok {
		one = &session{}
		s.add(id, one)
	}
	one.ended = true
	return one.customer
}

func (s *sessions) endAll(customer string) {
	for _, one := range s.byID {
		if one.customer == customer {
			one.ended = true
		}
	}
}

func (s *sessions) good(id, customer string) bool {
	one, ok := s.byID[id]
	return !ok || !one.ended && one.customer == customer
}

func (s *sessions) add(id string, one *session) {
	if len(s.ids) < maxSessions {
		s.ids = append(s.ids, id)
	} else {
		delete(s.byID, s.ids[s.next])
		s.ids[s.next] = id
		s.next = (s.next + 1) % maxSessions
	}
	s.byID[id] = one
}
