package device

import (
	"crypto/sha256"
	"fmt"

	"github.com/tinylib/msgp/msgp"
)

// What is sealed.
const (
	kindSnapshot = 1
	kindDelta    = 2
)

// head is what stands in front of a sealed snapshot's or delta's content, so that
// what is known already is not inflated.
type head struct {
	kind    uint64
	version uint64 // of the table that results
	base    []byte // digest of the table that a delta is applied to; none for a snapshot
	result  [sha256.Size]byte
	content []byte // deflated
}

func appendHead(b []byte, kind uint8, version uint64, base, result, content []byte) []byte {
	b = msgp.AppendArrayHeader(b, 5)
	b = msgp.AppendUint8(b, kind)
	b = msgp.AppendUint64(b, version)
	b = msgp.AppendBytes(b, base)
	b = msgp.AppendBytes(b, result)
	return msgp.AppendBytes(b, content)
}

// openHead verifies a message and reads its head. The error wraps ErrMalformed or
// ErrForged.
func (r *Keyring) openHead(sealed []byte) (head, error) {
	body, err := r.open(sealed)
	if err != nil {
		return head{}, err
	}
	p := reader{rest: body}
	p.array(5, 5)
	h := head{kind: p.uint(), version: p.uint()}
	h.base = p.bytes(0, sha256.Size)
	copy(h.result[:], p.bytes(sha256.Size, sha256.Size))
	h.content = p.bytes(0, MaxSealed)
	err = p.end()
	switch {
	case err != nil:
	case h.kind == kindSnapshot && len(h.base) == 0 && h.version > 0:
	case h.kind == kindDelta && len(h.base) == sha256.Size && h.version > 1:
	default:
		err = fmt.Errorf("kind %d, version %d, a base of %d bytes: expected a snapshot (%d) or a delta (%d)",
			h.kind, h.version, len(h.base), kindSnapshot, kindDelta)
	}
	if err != nil {
		return head{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return h, nil
}

// snapshot reads the table.
func (h *head) snapshot() (*Table, error) {
	t, err := Decode(h.content)
	if err == nil && (t.version != h.version || t.Digest() != h.result) {
		err = fmt.Errorf("version %d (%x), and announced was %d (%x)", t.version, shown(t), h.version, h.result[:4])
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return t, nil
}

// delta reads the delta.
func (h *head) delta() (*Delta, error) {
	d := &Delta{version: h.version, base: [sha256.Size]byte(h.base), result: h.result}
	content, err := inflate(h.content)
	if err == nil {
		err = decodeDelta(d, content)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: a delta: %w", ErrMalformed, err)
	}
	return d, nil
}
