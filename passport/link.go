package passport

import (
	"bytes"
	"crypto/hmac"
	"slices"

	"github.com/tinylib/msgp/msgp"
)

// link is a signed part of a sealed passport: what was minted, or a change. Its
// parts are views.
type link struct {
	raw             []byte // all of it
	name, body, mac []byte
	after           []byte // of a change: the first bytes of the MACs of the links that it follows
}

const afterLen = 8

// nextLink takes the first link off b.
func nextLink(b []byte) (l link, rest []byte, err error) {
	n, rest, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil || n != 3 && n != 4 {
		return link{}, nil, ErrMalformed
	}
	if l.name, rest, err = msgp.ReadStringZC(rest); err != nil {
		return link{}, nil, ErrMalformed
	}
	if n == 4 {
		if l.after, rest, err = msgp.ReadBytesZC(rest); err != nil || len(l.after) == 0 || len(l.after) > MaxChanges*afterLen || len(l.after)%afterLen != 0 {
			return link{}, nil, ErrMalformed
		}
	}
	if l.body, rest, err = msgp.ReadBytesZC(rest); err != nil {
		return link{}, nil, ErrMalformed
	}
	if l.mac, rest, err = msgp.ReadBytesZC(rest); err != nil || len(l.mac) != macLen {
		return link{}, nil, ErrMalformed
	}
	l.raw = b[:len(b)-len(rest)]
	return l, rest, nil
}

// links takes a sealed passport apart, into room that may be used. The first is
// what was minted.
func links(room []link, sealed []byte) ([]link, error) {
	if len(sealed) == 0 {
		return nil, ErrMissing
	}
	if len(sealed) > MaxSealed {
		return nil, ErrMalformed
	}
	for list := room[:0]; ; {
		if len(list) > MaxChanges {
			return nil, ErrMalformed
		}
		l, rest, err := nextLink(sealed)
		if err != nil {
			return nil, err
		}
		if (l.after == nil) != (len(list) == 0) || slices.ContainsFunc(list, l.same) {
			return nil, ErrMalformed
		}
		if list = append(list, l); len(rest) == 0 {
			return list, nil
		}
		sealed = rest
	}
}

// same reports whether two links are one, in whatever way the rest of them is written.
func (l *link) same(other link) bool { return bytes.Equal(l.mac[:afterLen], other.mac[:afterLen]) }

// place is where the link stands whose MAC begins so; -1: it is none of these.
func place(list []link, mac []byte) int {
	return slices.IndexFunc(list, func(l link) bool { return bytes.Equal(l.mac[:afterLen], mac) })
}

// macs are those of the links that a change follows, one behind the other; nil of what
// was minted, and false if one of them does not stand before it.
func (l *link) macs(before []link) (macs []byte, ok bool) {
	for mac := range slices.Chunk(l.after, afterLen) {
		i := place(before, mac)
		if i < 0 {
			return nil, false
		}
		if of := before[i].mac; macs == nil {
			macs = slices.Clip(of)
		} else {
			macs = append(macs, of...)
		}
	}
	return macs, true
}

// appendLink signs a body; after are the MACs of the links that it follows, nil for what
// is minted.
func (s *signer) appendLink(dst, after, body []byte) []byte {
	if after == nil {
		dst = msgp.AppendString(msgp.AppendArrayHeader(dst, 3), s.name)
	} else {
		dst = msgp.AppendString(msgp.AppendArrayHeader(dst, 4), s.name)
		dst = msgp.AppendBytesHeader(dst, uint32(len(after)/macLen*afterLen))
		for mac := range slices.Chunk(after, macLen) {
			dst = append(dst, mac[:afterLen]...)
		}
	}
	dst = msgp.AppendBytes(dst, body)
	var mac [macLen]byte
	return msgp.AppendBytes(dst, s.sign(mac[:0], after, body))
}

// good verifies the signature of one of the links.
func (h *held) good(list []link, i int) bool {
	l := &list[i]
	s := h.byName[string(l.name)]
	if s == nil {
		return false
	}
	after, ok := l.macs(list[:i])
	if !ok {
		return false
	}
	var want [macLen]byte
	return hmac.Equal(l.mac, s.sign(want[:0], after, l.body))
}
