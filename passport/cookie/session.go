package cookie

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
)

// Session is the name of one device's being signed in: 128 random bits. It
// opens nothing by itself. The zero value is none.
type Session [16]byte

// NewSession draws one.
func NewSession() Session {
	var s Session
	_, _ = rand.Read(s[:]) // never fails, by its documentation
	return s
}

// ParseSession reads what String writes.
func ParseSession(text string) (Session, error) {
	var s Session
	if hex.DecodedLen(len(text)) != len(s) || len(text)%2 != 0 {
		return Session{}, errSession
	}
	if _, err := hex.Decode(s[:], []byte(text)); err != nil {
		return Session{}, errSession
	}
	return s, nil
}

var errSession = errors.New("cookie: not a session: expected 32 hexadecimal digits")

// String is 32 hexadecimal digits.
func (s Session) String() string { return hex.EncodeToString(s[:]) }
