package passport

import (
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"sync/atomic"
)

// places is how many verified passports a keyring's keys remember, a power of two.
const places = 1024

// seen are passports that have been verified, so that the calls of one device
// request verify it once. A passport has one place, by its last signature; who comes
// later takes it.
type seen struct {
	at [places]atomic.Pointer[verified]
}

type verified struct {
	sealed []byte
	p      Passport
}

func placeOf(sealed []byte) uint64 {
	if len(sealed) < macLen {
		return 0
	}
	return binary.LittleEndian.Uint64(sealed[len(sealed)-8:]) % places
}

// find compares in constant time: how far a guess is right is nobody's to learn.
func (s *seen) find(sealed []byte) (Passport, bool) {
	v := s.at[placeOf(sealed)].Load()
	if v == nil || subtle.ConstantTimeCompare(v.sealed, sealed) != 1 {
		return Passport{}, false
	}
	return v.p, true
}

func (s *seen) keep(sealed []byte, p Passport) {
	s.at[placeOf(sealed)].Store(&verified{bytes.Clone(sealed), p})
}
