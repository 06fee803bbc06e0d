// Package composite reads and writes composite metadata: several pieces of
// metadata in one payload, each with its MIME type (extension "Composite
// Metadata"), and the routing metadata that names what a request is for
// (extension "Routing"). No I/O, no reflection; nothing is kept.
//
// An entry is
//
//	1 bit set, well-known MIME id (7)            or
//	1 bit clear, length of the MIME type - 1 (7), MIME type (ASCII)
//	length of the metadata (24), metadata
package composite

import (
	"errors"
	"fmt"
	"iter"
)

// MIME is the MIME type of composite metadata itself, for SETUP.
const MIME = "message/x.rsocket.composite-metadata.v0"

// Routing is the MIME type of routing metadata.
const Routing = "message/x.rsocket.routing.v0"

// wellKnown are the ids of the specification's extensions ("Well-known MIME
// Types"). The others, below 0x2B, are for formats of data and are handed out
// by number.
var wellKnown = map[byte]string{
	0x7A: "message/x.rsocket.mime-type.v0",
	0x7B: "message/x.rsocket.accept-mime-types.v0",
	0x7C: "message/x.rsocket.authentication.v0",
	0x7D: "message/x.rsocket.tracing-zipkin.v0",
	0x7E: Routing,
	0x7F: MIME,
}

const routingID = 0x7E

// Entry is one piece of metadata. Data is a view of what was parsed.
type Entry struct {
	MIME string // "0x05" and the like where the id is well known but not to this package
	Data []byte
}

// Append appends one entry. The MIME type must be 1 to 128 bytes of ASCII and
// the data shorter than 16 MiB.
func Append(dst []byte, mime string, data []byte) []byte {
	if mime == Routing {
		dst = append(dst, 0x80|routingID)
	} else {
		dst = append(append(dst, byte(len(mime)-1)), mime...)
	}
	n := len(data)
	dst = append(dst, byte(n>>16), byte(n>>8), byte(n))
	return append(dst, data...)
}

// All yields the entries of b in order. The first that is malformed is yielded
// as an error, and is the last.
func All(b []byte) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for len(b) > 0 {
			e, rest, err := next(b)
			if !yield(e, err) || err != nil {
				return
			}
			b = rest
		}
	}
}

func next(b []byte) (Entry, []byte, error) {
	var e Entry
	head, b := b[0], b[1:]
	if head&0x80 != 0 {
		id := head & 0x7F
		if e.MIME = wellKnown[id]; e.MIME == "" {
			e.MIME = fmt.Sprintf("0x%02X", id)
		}
	} else {
		n := int(head) + 1
		if n > len(b) {
			return e, nil, fmt.Errorf("composite metadata: a MIME type of %d bytes in the %d that are left", n, len(b))
		}
		e.MIME, b = string(b[:n]), b[n:]
	}
	if len(b) < 3 {
		return e, nil, fmt.Errorf("composite metadata: %d bytes where the length of %q takes 3", len(b), e.MIME)
	}
	n := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
	if b = b[3:]; n > len(b) {
		return e, nil, fmt.Errorf("composite metadata: %d bytes of %q in the %d that are left", n, e.MIME, len(b))
	}
	e.Data = b[:n:n]
	return e, b[n:], nil
}

// AppendRoute appends a routing entry with one tag, a route of at most 255 bytes.
func AppendRoute(dst []byte, route string) []byte {
	n := len(route) + 1
	dst = append(dst, 0x80|routingID, byte(n>>16), byte(n>>8), byte(n), byte(len(route)))
	return append(dst, route...)
}

// Route returns the first tag of routing metadata: the route.
func Route(data []byte) (string, error) {
	if len(data) == 0 || int(data[0]) > len(data)-1 {
		return "", errors.New("routing metadata: the first tag runs past its end")
	}
	return string(data[1 : 1+int(data[0])]), nil
}
