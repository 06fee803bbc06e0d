package passport

import (
	"bytes"
	"crypto/hmac"
	"errors"
	"fmt"
	"time"

	"github.com/tinylib/msgp/msgp"
	"github.com/vmihailenco/msgpack/v5"

	"warmline.dev/protocol"
)

// MaxSealed is the longest sealed passport that is opened, in bytes.
const MaxSealed = 4 << 10

// What is wrong with a sealed passport. [Keyring.Open] wraps one of them.
var (
	ErrMissing   = errors.New("passport: missing")
	ErrMalformed = errors.New("passport: not a sealed passport")
	ErrForged    = errors.New("passport: forged: the signature is not by a key known here")
	ErrExpired   = errors.New("passport: expired")
)

// Seal signs p with the current key.
func (r *Keyring) Seal(p Passport) ([]byte, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	enc := msgpack.GetEncoder()
	defer msgpack.PutEncoder(enc)
	enc.Reset(&buf)
	enc.UseCompactInts(true)
	if err := p.EncodeMsgpack(enc); err != nil {
		return nil, fmt.Errorf("passport: encode: %w", err)
	}
	body := buf.Bytes()
	sealed := make([]byte, 0, len(body)+len(r.current.name)+macLen+16)
	sealed = msgp.AppendArrayHeader(sealed, 3)
	sealed = msgp.AppendString(sealed, r.current.name)
	sealed = msgp.AppendBytes(sealed, body)
	var mac [macLen]byte
	return msgp.AppendBytes(sealed, r.current.sign(mac[:0], body)), nil
}

// Open verifies a sealed passport: the signature first, and nothing is read from
// one that fails. The error wraps [ErrMissing], [ErrMalformed], [ErrForged] or
// [ErrExpired], and shows nothing of the passport.
func (r *Keyring) Open(sealed []byte, now time.Time) (Passport, error) {
	if len(sealed) == 0 {
		return Passport{}, ErrMissing
	}
	name, body, mac, err := split(sealed)
	if err != nil {
		return Passport{}, err
	}
	s := r.byName[string(name)]
	if s == nil {
		return Passport{}, ErrForged
	}
	var want [macLen]byte
	if !hmac.Equal(mac, s.sign(want[:0], body)) {
		return Passport{}, ErrForged
	}
	p, err := decode(body)
	if err == nil && !now.Before(p.Expires) {
		err = ErrExpired
	}
	if err != nil {
		return Passport{}, err
	}
	return p, nil
}

// Peek reads a sealed passport without verifying it: for adapters, which hold no
// key. Who it came from must be trusted.
func Peek(sealed []byte) (Passport, error) {
	if len(sealed) == 0 {
		return Passport{}, ErrMissing
	}
	_, body, _, err := split(sealed)
	if err != nil {
		return Passport{}, err
	}
	return decode(body)
}

// split takes the sealed form apart; the parts are views.
func split(sealed []byte) (name, body, mac []byte, err error) {
	bad := func() ([]byte, []byte, []byte, error) { return nil, nil, nil, ErrMalformed }
	if len(sealed) > MaxSealed {
		return bad()
	}
	n, b, err := msgp.ReadArrayHeaderBytes(sealed)
	if err != nil || n != 3 {
		return bad()
	}
	if name, b, err = msgp.ReadStringZC(b); err != nil {
		return bad()
	}
	if body, b, err = msgp.ReadBytesZC(b); err != nil {
		return bad()
	}
	if mac, b, err = msgp.ReadBytesZC(b); err != nil || len(b) > 0 {
		return bad()
	}
	return name, body, mac, nil
}

func decode(body []byte) (Passport, error) {
	var p Passport
	if err := protocol.DefaultLimits.Check(body); err != nil {
		return p, ErrMalformed
	}
	dec := msgpack.GetDecoder()
	defer msgpack.PutDecoder(dec)
	dec.Reset(bytes.NewReader(body))
	if err := p.DecodeMsgpack(dec); err != nil {
		return Passport{}, ErrMalformed
	}
	return p, nil
}
