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
	after           []byte // of a change: the first bytes of the MAC of the link that it follows
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
		if l.after, rest, err = msgp.ReadBytesZC(rest); err != nil || len(l.after) != afterLen {
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

// follows is which of the links a change follows, by its place; -1: none before it.
func (l *link) follows(list []link) int {
	for i := range list {
		if &list[i] == l {
			break
		}
		if bytes.Equal(list[i].mac[:afterLen], l.after) {
			return i
		}
	}
	return -1
}

// appendLink signs a body; after is the MAC of the link that it follows, nil for what
// is minted.
func (s *signer) appendLink(dst, after, body []byte) []byte {
	if after == nil {
		dst = msgp.AppendString(msgp.AppendArrayHeader(dst, 3), s.name)
	} else {
		dst = msgp.AppendString(msgp.AppendArrayHeader(dst, 4), s.name)
		dst = msgp.AppendBytes(dst, after[:afterLen])
	}
	dst = msgp.AppendBytes(dst, body)
	var mac [macLen]byte
	return msgp.AppendBytes(dst, s.sign(mac[:0], after, body))
}

// good verifies the signature of one of the links.
func (r *Keyring) good(l *link, list []link) bool {
	s := r.byName[string(l.name)]
	if s == nil {
		return false
	}
	var after []byte
	if l.after != nil {
		i := l.follows(list)
		if i < 0 {
			return false
		}
		after = list[i].mac
	}
	var want [macLen]byte
	return hmac.Equal(l.mac, s.sign(want[:0], after, l.body))
}
