package peers

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
)

// Hash is the SHA-256 of a token. That is enough for what has 256 random bits, as
// those of [NewToken] do; it would not be for a password.
type Hash [sha256.Size]byte

const (
	hashPrefix  = "sha256:"
	tokenPrefix = "warmline_"
	maxToken    = 1024 // bytes that are looked at
)

// NewToken makes a token. It is a secret.
func NewToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // it never fails
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// HashToken is what is kept of a token.
func HashToken(token string) Hash { return sha256.Sum256([]byte(token)) }

// String is the hash as a file has it: "sha256:" and 64 hex digits.
func (h Hash) String() string { return hashPrefix + hex.EncodeToString(h[:]) }

// ParseHash reads what [Hash.String] writes. The error does not show what was
// there: it may be a token.
func ParseHash(text string) (Hash, error) {
	var h Hash
	digits, ok := strings.CutPrefix(text, hashPrefix)
	if n, err := hex.Decode(h[:], []byte(digits[:min(len(digits), 2*len(h))])); !ok || err != nil || n != len(h) || len(digits) != 2*len(h) {
		return Hash{}, errors.New("expected sha256: and 64 hex digits, as warmline peer token prints them")
	}
	return h, nil
}
