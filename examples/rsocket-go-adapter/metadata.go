package main

import (
	"encoding/binary"
	"errors"
	"time"
)

// The MIME types of the entries in a request's composite metadata.
const (
	mimePassport    = "application/vnd.warmline.passport"    // sealed; an adapter hands it on as it is
	mimeTraceparent = "application/vnd.warmline.traceparent" // W3C's, as its header has it
	mimeBudget      = "application/vnd.warmline.budget"      // time left, milliseconds, 4 bytes big-endian
)

// idRouting is the well-known id of message/x.rsocket.routing.v0, whose entry is
// a length of one byte and the route.
const idRouting = 0x7E

// metadata is what travels with a request, and with an answer that changed the
// passport. What is empty is left out.
type metadata struct {
	route       string
	passport    []byte
	traceparent string
	budget      time.Duration
}

// encode writes composite metadata. rsocket-go has a package for it (extension),
// but its reader panics on bytes that end too early, and the few lines below do.
func (m metadata) encode() []byte {
	var b []byte
	if m.route != "" {
		b = append(b, 0x80|idRouting)
		b = appendSized(b, append([]byte{byte(len(m.route))}, m.route...))
	}
	if len(m.passport) > 0 {
		b = appendEntry(b, mimePassport, m.passport)
	}
	if m.traceparent != "" {
		b = appendEntry(b, mimeTraceparent, []byte(m.traceparent))
	}
	if m.budget > 0 {
		ms := max(m.budget.Milliseconds(), 1)
		b = appendEntry(b, mimeBudget, binary.BigEndian.AppendUint32(nil, uint32(ms)))
	}
	return b
}

// appendEntry writes an entry whose MIME type is spelled out: its length less
// one, the type, then the data behind three bytes of length.
func appendEntry(b []byte, mime string, data []byte) []byte {
	b = append(append(b, byte(len(mime)-1)), mime...)
	return appendSized(b, data)
}

func appendSized(b, data []byte) []byte {
	n := len(data)
	return append(append(b, byte(n>>16), byte(n>>8), byte(n)), data...)
}

var errMetadata = errors.New("the metadata is not composite metadata")

// decodeMetadata reads composite metadata. Entries of other types are passed
// over; of two of one type the first counts.
func decodeMetadata(b []byte) (m metadata, err error) {
	for len(b) > 0 {
		head, mime := b[0], ""
		b = b[1:]
		if head&0x80 == 0 { // otherwise a well-known id
			n := int(head) + 1
			if n > len(b) {
				return m, errMetadata
			}
			mime, b = string(b[:n]), b[n:]
		}
		if len(b) < 3 {
			return m, errMetadata
		}
		n := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
		if b = b[3:]; n > len(b) {
			return m, errMetadata
		}
		data := b[:n:n]
		b = b[n:]
		switch {
		case head == 0x80|idRouting && m.route == "":
			if n == 0 || int(data[0]) > n-1 {
				return m, errMetadata
			}
			m.route = string(data[1 : 1+int(data[0])])
		case mime == mimePassport && m.passport == nil:
			m.passport = data
		case mime == mimeTraceparent && m.traceparent == "":
			m.traceparent = string(data)
		case mime == mimeBudget && n == 4 && m.budget == 0:
			m.budget = time.Duration(binary.BigEndian.Uint32(data)) * time.Millisecond
		}
	}
	return m, nil
}
