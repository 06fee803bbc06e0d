package passport

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

const (
	minKey = 32 // bytes
	macLen = sha256.Size
)

// Key is a named secret. The name travels with what it signed; the secret never does.
type Key struct {
	Name   string // 1 to 64 bytes of letters, digits, "-", "_" and "."
	Secret []byte `json:"-"` // at least 32 bytes
}

// String shows the name only, so that no key ends up in a log.
func (k Key) String() string { return "key " + k.Name }

// GoString shows the name only.
func (k Key) GoString() string { return k.String() }

// NewKey makes a key with a random secret of 32 bytes.
func NewKey(name string) Key {
	secret := make([]byte, minKey)
	_, _ = rand.Read(secret) // never fails, by its documentation
	return Key{Name: name, Secret: secret}
}

// Format is the key as [ParseKeys] reads it: "name:base64". It is a secret.
func (k Key) Format() string { return k.Name + ":" + base64.StdEncoding.EncodeToString(k.Secret) }

// ParseKeys reads keys, one "name:base64" a line or separated by commas; empty
// lines and those that begin with # are passed over. Errors name the entry by its
// number and never show what is in it.
func ParseKeys(text string) ([]Key, error) {
	var keys []Key
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for entry := range strings.SplitSeq(line, ",") {
			if entry = strings.TrimSpace(entry); entry == "" {
				continue
			}
			name, secret, _ := strings.Cut(entry, ":")
			raw, err := base64.StdEncoding.DecodeString(secret)
			if err != nil || !validName(name) || len(raw) < minKey {
				return nil, fmt.Errorf("passport keys: entry %d is not NAME:BASE64 with a key of at least %d bytes", len(keys)+1, minKey)
			}
			keys = append(keys, Key{Name: name, Secret: raw})
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("passport keys: none given, expected NAME:BASE64")
	}
	return keys, nil
}

// Keyring seals with its first key and opens with any of them, so that keys
// rotate: add the new one behind the old everywhere, then move it to the front,
// then, when all that the old one has sealed is over, drop that. [Keyring.Replace]
// does each step while the keyring is in use.
type Keyring struct {
	audience string
	held     *atomic.Pointer[held] // shared by the keyrings for all audiences
}

// held are the keys at a time, with what they have verified: a key that goes takes
// along what it vouched for. The keys do not change.
type held struct {
	current *signer
	byName  map[string]*signer
	seen    seen
}

// NewKeyring makes a keyring. The keys are copied.
func NewKeyring(keys ...Key) (*Keyring, error) {
	r := &Keyring{held: new(atomic.Pointer[held])}
	if err := r.Replace(keys...); err != nil {
		return nil, err
	}
	return r, nil
}

// Replace has the keyring hold these keys and no others, which are copied; so do all
// that [Keyring.For] has made of it, or that it was made of. What is under way ends with
// the keys that it began with; what begins later is refused if a key that is gone has
// signed any of it, also if it was opened before. The error is about keys that
// [NewKeyring] refuses, and then nothing has changed.
func (r *Keyring) Replace(keys ...Key) error {
	h, err := newHeld(keys)
	if err == nil {
		r.held.Store(h)
	}
	return err
}

func newHeld(keys []Key) (*held, error) {
	if len(keys) == 0 {
		return nil, errors.New("passport: a keyring without keys")
	}
	h := &held{byName: make(map[string]*signer, len(keys))}
	for _, k := range keys {
		if !validName(k.Name) {
			return nil, fmt.Errorf("passport: key name %q: expected 1 to 64 letters, digits, '-', '_' or '.'", k.Name)
		}
		if len(k.Secret) < minKey {
			return nil, fmt.Errorf("passport: key %q has %d bytes, expected at least %d", k.Name, len(k.Secret), minKey)
		}
		if h.byName[k.Name] != nil {
			return nil, fmt.Errorf("passport: two keys named %q", k.Name)
		}
		h.byName[k.Name] = newSigner(k)
	}
	h.current = h.byName[keys[0].Name]
	return h, nil
}

// For returns the keyring for an audience: what it seals counts there alone, and it
// opens nothing else. By default the audience is the empty one. Its keys are those of r,
// also when they are replaced.
func (r *Keyring) For(audience string) *Keyring {
	return &Keyring{audience: audience, held: r.held}
}

func validName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 64
}

// signer signs with one key; keyed hashes are costly to make, so they are kept.
type signer struct {
	name string
	// what stands before the body in what is signed, but for the MACs before
	minted, change, changes []byte
	hashes                  sync.Pool
}

func newSigner(k Key) *signer {
	secret := append([]byte(nil), k.Secret...)
	s := &signer{name: k.Name}
	named := append([]byte{byte(len(k.Name))}, k.Name...)
	s.minted = append([]byte("warmline passport 2\x00"), named...)
	s.change = append([]byte("warmline change 2\x00"), named...)
	s.changes = append([]byte("warmline changes 2\x00"), named...)
	s.hashes.New = func() any { return hmac.New(sha256.New, secret) }
	return s
}

// sign appends the signature of a body that follows the links with the MACs after;
// nil: it was minted. How many they are is signed, so that none is taken for the body.
func (s *signer) sign(dst, after, body []byte) []byte {
	h := s.hashes.Get().(hash.Hash)
	h.Reset()
	domain := s.minted
	switch n := len(after) / macLen; {
	case n == 1:
		domain = s.change
	case n > 1:
		domain = append(slices.Clip(s.changes), byte(n))
	}
	h.Write(domain) // a hash never fails to write
	h.Write(after)
	h.Write(body)
	dst = h.Sum(dst)
	s.hashes.Put(h)
	return dst
}
