package cookie

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"warmline.dev/passport"
)

const (
	version  = 1
	nonceLen = chacha20poly1305.NonceSizeX
	overhead = chacha20poly1305.Overhead

	// maxValue is the longest value that is opened, in bytes.
	maxValue = maxLine
	// future is how far the clocks of gateways may be apart.
	future = time.Minute
)

var encoding = base64.RawURLEncoding.Strict()

// key seals and opens with what is derived from one named key.
type key struct {
	head []byte // what stands before the nonce
	aead cipher.AEAD
}

func derive(k passport.Key) (*key, error) {
	info := "warmline cookie 1\x00" + string(rune(len(k.Name))) + k.Name // at most 64: one byte
	secret, err := hkdf.Key(sha256.New, k.Secret, nil, info, chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(secret)
	if err != nil {
		return nil, err
	}
	return &key{head: append([]byte{version, byte(len(k.Name))}, k.Name...), aead: aead}, nil
}

// Seal is the value of the cookie, of any length. The error says which field is
// out of its bounds, and nothing of what is in it.
func (j *Jar) Seal(c Cookie) (string, error) {
	if err := c.check(); err != nil {
		return "", err
	}
	head := j.seal.head
	body := appendBody(make([]byte, 0, 256), &c, j.cfg.Audience)
	raw := make([]byte, len(head)+nonceLen, len(head)+nonceLen+len(body)+overhead)
	nonce := raw[copy(raw, head):]
	_, _ = rand.Read(nonce) // never fails, by its documentation
	return encoding.EncodeToString(j.seal.aead.Seal(raw, nonce, body, head)), nil
}

// space is what opening takes, so that a request allocates no more than it keeps.
type space struct {
	text [maxValue]byte
	raw  [maxValue * 3 / 4]byte
}

var spaces = sync.Pool{New: func() any { return new(space) }}

// Open is the cookie of a value that [Jar.Seal] made, with this key or another of
// the jar's. The error is [ErrMissing] for none, [ErrMalformed], [ErrForged],
// [ErrAudience], [ErrFuture] or [ErrExpired]; of a cookie that is forged nothing
// is read.
func (j *Jar) Open(value string, now time.Time) (Cookie, error) {
	if value == "" {
		return Cookie{}, ErrMissing
	}
	if len(value) > maxValue {
		return Cookie{}, ErrMalformed
	}
	s := spaces.Get().(*space)
	defer spaces.Put(s)
	n, err := encoding.Decode(s.raw[:], s.text[:copy(s.text[:], value)])
	if err != nil || encoding.EncodedLen(n) != len(value) { // line ends would be passed over
		return Cookie{}, ErrMalformed
	}
	body, err := j.open(s.raw[:n])
	if err != nil {
		return Cookie{}, err
	}
	c, audience, err := parseBody(body)
	clear(body) // it is the next one's space
	if err != nil {
		return Cookie{}, err
	}
	if audience != j.cfg.Audience {
		return Cookie{}, ErrAudience
	}
	if latest := now.Add(future); c.Issued.After(latest) || c.Begun.After(latest) {
		return Cookie{}, ErrFuture
	}
	if !now.Before(c.Begun.Add(j.cfg.Life)) {
		return Cookie{}, ErrExpired
	}
	if most := j.trusted(c.Issued); c.TrustedUntil.After(most) {
		c.TrustedUntil = most
	}
	return c, nil
}

// open decrypts in place.
func (j *Jar) open(raw []byte) ([]byte, error) {
	if len(raw) < 2 || raw[0] != version {
		return nil, ErrMalformed
	}
	at := 2 + int(raw[1])
	if at == 2 || raw[1] > maxName || len(raw) < at+nonceLen+overhead {
		return nil, ErrMalformed
	}
	k := j.keys[string(raw[2:at])]
	if k == nil {
		return nil, ErrForged
	}
	nonce, sealed := raw[at:at+nonceLen], raw[at+nonceLen:]
	body, err := k.aead.Open(sealed[:0], nonce, sealed, raw[:at])
	if err != nil {
		return nil, ErrForged
	}
	return body, nil
}
