package device

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"warmline.dev/passport"
)

// MaxSealed is the longest sealed snapshot or delta, in bytes: as much as a message
// on the bus may have.
const MaxSealed = 64 << 10

// domain keeps what these keys sign apart from all else that they may sign.
const domain = "warmline devices 1\x00"

// What is wrong with sealed data. [Devices.Take] wraps one of them, or [ErrGap], or
// [ErrOld].
var (
	ErrMalformed = errors.New("device: not a sealed snapshot or delta")
	ErrForged    = errors.New("device: forged: the signature is not by a key known here")
)

// Keyring seals with its first key and opens with any of them, as
// [passport.Keyring] does; [passport.ParseKeys] reads the file. It is safe for
// concurrent use and shows no key.
type Keyring struct {
	current passport.Key
	byName  map[string]passport.Key
}

// NewKeyring makes a keyring. The keys are copied. The error is about a key that is
// too short, a name that can't be one, or no key at all.
func NewKeyring(keys ...passport.Key) (*Keyring, error) {
	if _, err := passport.NewKeyring(keys...); err != nil {
		return nil, fmt.Errorf("device: keys: %w", err)
	}
	r := &Keyring{byName: make(map[string]passport.Key, len(keys))}
	for _, k := range keys {
		k.Secret = append([]byte(nil), k.Secret...)
		r.byName[k.Name] = k
	}
	r.current = r.byName[keys[0].Name]
	return r, nil
}

// String names the key that seals, and shows no secret.
func (r *Keyring) String() string { return "device keyring, sealing with " + r.current.String() }

// GoString is String.
func (r *Keyring) GoString() string { return r.String() }

// SealSnapshot signs a whole table. The error is that it is longer than [MaxSealed].
func (r *Keyring) SealSnapshot(t *Table) ([]byte, error) {
	digest := t.Digest()
	return r.seal(appendHead(nil, kindSnapshot, t.version, nil, digest[:], t.Encode()))
}

// SealDelta signs a delta. The error is that it is longer than [MaxSealed]: a
// snapshot may be shorter.
func (r *Keyring) SealDelta(d *Delta) ([]byte, error) {
	return r.seal(appendHead(nil, kindDelta, d.version, d.base[:], d.result[:], deflate(appendDelta(nil, d))))
}

func (r *Keyring) seal(body []byte) ([]byte, error) {
	sealed := make([]byte, 0, len(body)+len(r.current.Name)+sha256.Size+16)
	sealed = msgp.AppendArrayHeader(sealed, 3)
	sealed = msgp.AppendString(sealed, r.current.Name)
	sealed = msgp.AppendBytes(sealed, body)
	sealed = msgp.AppendBytes(sealed, sign(r.current, body))
	if len(sealed) > MaxSealed {
		return nil, fmt.Errorf("device: %d bytes when sealed, expected at most %d", len(sealed), MaxSealed)
	}
	return sealed, nil
}

// open verifies and returns the body, a view. Nothing is read from what isn't signed.
func (r *Keyring) open(sealed []byte) ([]byte, error) {
	if len(sealed) > MaxSealed {
		return nil, fmt.Errorf("%w: %d bytes, expected at most %d", ErrMalformed, len(sealed), MaxSealed)
	}
	p := reader{rest: sealed}
	p.array(3, 3)
	name, body, mac := p.text(), p.bytes(0, MaxSealed), p.bytes(sha256.Size, sha256.Size)
	if err := p.end(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if r == nil {
		return nil, fmt.Errorf("%w: there is none", ErrForged)
	}
	key, known := r.byName[string(name)]
	if !known || !hmac.Equal(mac, sign(key, body)) {
		return nil, ErrForged
	}
	return body, nil
}

func sign(k passport.Key, body []byte) []byte {
	h := hmac.New(sha256.New, k.Secret)
	h.Write([]byte(domain)) // a hash never fails to write
	h.Write([]byte{byte(len(k.Name))})
	h.Write([]byte(k.Name))
	h.Write(body)
	return h.Sum(nil)
}
