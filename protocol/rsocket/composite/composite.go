package composite

import (
	"fmt"
	"iter"
)

// Entry is one piece of metadata. Data is a view of what was parsed.
//
//	name: see below
//	length of the metadata (24), metadata
type Entry struct {
	MIME string // "0x30" and the like where the id is reserved
	Data []byte
}

// A name, of a MIME or authentication type, is one of
//
//	1 bit set, well-known id (7)
//	1 bit clear, length of the name - 1 (7), name (ASCII)
const (
	known       = 0x80
	longestName = 128
	longestData = 1<<24 - 1
)

// Append appends one entry. The MIME type must be 1 to 128 bytes of ASCII and
// the data shorter than 16 MiB.
func Append(dst []byte, mime string, data []byte) []byte {
	if id, ok := ids[mime]; ok {
		dst = append(dst, known|id)
	} else {
		dst = append(append(dst, byte(len(mime)-1)), mime...)
	}
	return append(appendLength(dst, len(data)), data...)
}

func appendLength(dst []byte, n int) []byte { return append(dst, byte(n>>16), byte(n>>8), byte(n)) }

// appendEntry appends an entry whose data write appends. What is too long is an
// error; dst is returned without it then.
func appendEntry(dst []byte, id byte, write func(dst []byte) ([]byte, error)) ([]byte, error) {
	b := append(dst, known|id, 0, 0, 0) //nolint:gocritic // dst is what is returned with an error
	start := len(b)
	b, err := write(b)
	if err != nil {
		return dst, fmt.Errorf("%s: %w", names[id], err)
	}
	n := len(b) - start
	if n > longestData {
		return dst, fmt.Errorf("%s: %d bytes, expected at most %d", names[id], n, longestData)
	}
	appendLength(b[:start-3], n)
	return b, nil
}

// All yields the entries of b in order. The first that is malformed is yielded
// as an error, and is the last.
func All(b []byte) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for at := 0; at < len(b); {
			e, n, err := next(b[at:])
			if err != nil {
				err = fmt.Errorf("composite metadata, byte %d: %w", at, err)
			}
			if !yield(e, err) || err != nil {
				return
			}
			at += n
		}
	}
}

// next parses one entry and returns how long it is.
func next(b []byte) (e Entry, n int, err error) {
	if e.MIME, n, err = parseName(b, Name); err != nil {
		return e, 0, err
	}
	rest := b[n:]
	if len(rest) < 3 {
		return e, 0, fmt.Errorf("%d bytes where the length of %q takes 3", len(rest), e.MIME)
	}
	size := int(rest[0])<<16 | int(rest[1])<<8 | int(rest[2])
	if rest = rest[3:]; size > len(rest) {
		return e, 0, fmt.Errorf("%d bytes of %q in the %d that are left", size, e.MIME, len(rest))
	}
	e.Data = rest[:size:size]
	return e, n + 3 + size, nil
}

// parseName parses the name that b begins with and returns how long it is there.
// An id that find does not know is told as a number: it may be skipped.
func parseName(b []byte, find func(id byte) (string, bool)) (name string, n int, err error) {
	if len(b) == 0 {
		return "", 0, fmt.Errorf("no bytes, expected a name")
	}
	if b[0]&known != 0 {
		id := b[0] &^ known
		name, ok := find(id)
		if !ok {
			name = fmt.Sprintf("0x%02X", id)
		}
		return name, 1, nil
	}
	n = int(b[0]) + 1
	if n > len(b)-1 {
		return "", 0, fmt.Errorf("a name of %d bytes in the %d that are left", n, len(b)-1)
	}
	return string(b[1 : 1+n]), 1 + n, nil
}

// appendName appends a name as its id, if it has one, or spelled out.
func appendName(dst []byte, name string, id byte, hasID bool) ([]byte, error) {
	if hasID {
		return append(dst, known|id), nil
	}
	if len(name) == 0 || len(name) > longestName {
		return dst, fmt.Errorf("the name %q is %d bytes, expected 1 to %d", name, len(name), longestName)
	}
	for i := range len(name) {
		if name[i] <= ' ' || name[i] > '~' {
			return dst, fmt.Errorf("the name %q has %#02x at byte %d, expected printable ASCII", name, name[i], i)
		}
	}
	return append(append(dst, byte(len(name)-1)), name...), nil
}
