package token

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

const (
	maxSet   = 256 << 10 // bytes
	maxKeys  = 100
	maxAlike = 4 // keys of one id
	minRSA   = 2048
)

// keyTypes say for each algorithm which keys are its own. Symmetric ones are
// missing: the issuer's public key would be the secret.
var keyTypes = map[jose.SignatureAlgorithm]func(any) bool{
	jose.RS256: isRSA, jose.RS384: isRSA, jose.RS512: isRSA,
	jose.PS256: isRSA, jose.PS384: isRSA, jose.PS512: isRSA,
	jose.ES256: isEC(elliptic.P256()), jose.ES384: isEC(elliptic.P384()), jose.ES512: isEC(elliptic.P521()),
	jose.EdDSA: func(k any) bool { _, ok := k.(ed25519.PublicKey); return ok },
}

func isRSA(k any) bool {
	r, ok := k.(*rsa.PublicKey)
	return ok && r.N.BitLen() >= minRSA
}

func isEC(curve elliptic.Curve) func(any) bool {
	return func(k any) bool {
		e, ok := k.(*ecdsa.PublicKey)
		return ok && e.Curve == curve
	}
}

// publicKey is a key of the issuer's, and the algorithms that it verifies.
type publicKey struct {
	key        any
	algorithms []jose.SignatureAlgorithm
}

// keySet is an issuer's keys. It is not written to.
type keySet struct {
	byID map[string][]publicKey
	all  []publicKey
}

// parseKeys reads a JWK set, as far as it can be used with the algorithms that
// are taken: other keys are passed over, as RFC 7517 wants it. Errors show
// nothing of what is in it.
func parseKeys(text []byte, taken []jose.SignatureAlgorithm) (*keySet, error) {
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if len(text) > maxSet {
		return nil, fmt.Errorf("a key set of more than %d bytes", maxSet)
	}
	// The standard library's reader has a bound for depth.
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf(`not a key set: expected {"keys":[…]}`)
	}
	if len(raw.Keys) > maxKeys {
		return nil, fmt.Errorf("%d keys, expected at most %d", len(raw.Keys), maxKeys)
	}
	s := &keySet{byID: make(map[string][]publicKey)}
	for _, one := range raw.Keys {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(one) != nil || !k.Valid() || k.Use != "" && k.Use != "sig" {
			continue
		}
		p := publicKey{key: k.Key}
		for _, a := range taken {
			if (k.Algorithm == "" || k.Algorithm == string(a)) && keyTypes[a](k.Key) {
				p.algorithms = append(p.algorithms, a)
			}
		}
		if len(p.algorithms) == 0 || len(s.byID[k.KeyID]) == maxAlike {
			continue
		}
		s.all = append(s.all, p)
		s.byID[k.KeyID] = append(s.byID[k.KeyID], p)
	}
	if len(s.all) == 0 {
		return nil, fmt.Errorf("%d keys, and none of them is a public one to verify %v with", len(raw.Keys), taken)
	}
	return s, nil
}

// find returns the keys that a token of this header may be signed with: those of
// the id, or the one that fits if it says none.
func (s *keySet) find(id string, algorithm jose.SignatureAlgorithm) []publicKey {
	if s == nil {
		return nil
	}
	from := s.all
	if id != "" {
		from = s.byID[id]
	}
	var found []publicKey
	for _, p := range from {
		if slices.Contains(p.algorithms, algorithm) {
			found = append(found, p)
		}
	}
	if id == "" && len(found) > 1 {
		return nil
	}
	return found
}
