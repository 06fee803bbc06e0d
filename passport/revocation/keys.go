package revocation

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync/atomic"

	"warmline.dev/passport"
)

// What is wrong with a message. [Set.Take] wraps one of them, and has changed
// nothing then.
var (
	// ErrMalformed is about a message that is not of the form that the package
	// describes, or beyond its bounds.
	ErrMalformed = errors.New("revocation: not a message of this package")
	// ErrForged is about a signature by no key that is known here.
	ErrForged = errors.New("revocation: forged: the signature is not by a key known here")
	// ErrOld is about a message that says nothing new.
	ErrOld = errors.New("revocation: older than what is held")
)

const (
	magic  = "WR\x01" // and the version
	domain = "warmline revocation 1\x00"
	macLen = sha256.Size

	// maxMessage is less than what the bus takes.
	maxMessage = 63 << 10
)

// keys sign with the first and verify with any of them. They can be replaced while
// they are in use.
type keys struct{ held atomic.Pointer[held] }

// held are the keys at a time. They do not change.
type held struct {
	name   string // of the first
	byName map[string][]byte
}

func newKeys(list []passport.Key) (*keys, error) {
	k := &keys{}
	if err := k.replace(list); err != nil {
		return nil, err
	}
	return k, nil
}

func (k *keys) replace(list []passport.Key) error {
	if _, err := passport.NewKeyring(list...); err != nil { // says what is wrong with them
		return fmt.Errorf("revocation: Keys: %w", err)
	}
	h := &held{name: list[0].Name, byName: make(map[string][]byte, len(list))}
	for _, key := range list {
		h.byName[key.Name] = append([]byte(nil), key.Secret...)
	}
	k.held.Store(h)
	return nil
}

// seal signs a message.
func (k *keys) seal(kind kind, body []byte) []byte {
	h := k.held.Load()
	b := make([]byte, 0, len(magic)+2+len(h.name)+len(body)+macLen)
	b = append(b, magic...)
	b = append(b, byte(kind), byte(len(h.name)))
	b = append(b, h.name...)
	b = append(b, body...)
	return append(b, sign(h.byName[h.name], b)...)
}

// open verifies a message and returns its body, a view. Nothing is read from one
// that is not signed by a key known here.
func (k *keys) open(data []byte) (kind, []byte, error) {
	const head = len(magic) + 2
	switch {
	case len(data) > maxMessage:
		return 0, nil, fmt.Errorf("%w: %d bytes, expected at most %d", ErrMalformed, len(data), maxMessage)
	case len(data) < head || string(data[:len(magic)]) != magic:
		return 0, nil, fmt.Errorf("%w: expected it to begin with %q, a kind and a key's name", ErrMalformed, magic)
	}
	name := int(data[head-1])
	if len(data) < head+name+macLen {
		return 0, nil, fmt.Errorf("%w: %d bytes, cut off before its signature ends", ErrMalformed, len(data))
	}
	secret, known := k.held.Load().byName[string(data[head:head+name])]
	if !known {
		return 0, nil, ErrForged
	}
	signed, mac := data[:len(data)-macLen], data[len(data)-macLen:]
	if !hmac.Equal(mac, sign(secret, signed)) {
		return 0, nil, ErrForged
	}
	return kind(data[len(magic)]), signed[head+name:], nil
}

func sign(secret, signed []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(domain)) // a hash never fails to write
	h.Write(signed)
	return h.Sum(nil)
}
