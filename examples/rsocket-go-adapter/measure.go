package main

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vmihailenco/msgpack/v5"
)

// decode reads exactly one msgpack value.
func decode(b []byte, into any) error {
	n, err := measure(b)
	if err == nil && n != len(b) {
		err = fmt.Errorf("%d bytes behind the msgpack value", len(b)-n)
	}
	if err != nil {
		return err
	}
	return msgpack.Unmarshal(b, into)
}

// Bounds of one value, far above what a page needs.
const (
	maxDepth  = 32      // arrays and maps inside each other
	maxValues = 1 << 17 // of all kinds
)

var errMsgPack = errors.New("malformed msgpack")

// measure returns the length of the first msgpack value of b. It goes before the
// decoder because that one believes lengths: five bytes that announce four
// thousand million elements would end the process, and so would deep nesting.
func measure(b []byte) (int, error) {
	var open [maxDepth]int // the values still to come in each array or map that is open
	open[0] = 1
	at, depth := 0, 0
	for seen := 0; ; seen++ {
		for open[depth] == 0 {
			if depth == 0 {
				return at, nil
			}
			depth--
		}
		open[depth]--
		size, inside, ok := header(b[at:])
		if !ok || size > len(b)-at || inside > len(b)-at || seen > maxValues {
			return 0, fmt.Errorf("%w at byte %d", errMsgPack, at)
		}
		at += size
		if inside > 0 {
			if depth++; depth == maxDepth {
				return 0, fmt.Errorf("%w at byte %d: deeper than %d", errMsgPack, at, maxDepth)
			}
			open[depth] = inside
		}
	}
}

// header tells how many bytes a value takes, without the values inside an array
// or a map, and how many of these there are.
func header(b []byte) (size, inside int, ok bool) {
	if len(b) == 0 {
		return 0, 0, false
	}
	switch c := b[0]; {
	case c <= 0x7F || c >= 0xE0: // small integers
		return 1, 0, true
	case c <= 0x8F: // map
		return 1, 2 * int(c&0x0F), true
	case c <= 0x9F: // array
		return 1, int(c & 0x0F), true
	case c <= 0xBF: // string
		return 1 + int(c&0x1F), 0, true
	case c == 0xC0 || c == 0xC2 || c == 0xC3: // nil, false, true
		return 1, 0, true
	case c >= 0xC4 && c <= 0xC6: // bytes
		return sized(b, 1<<(c-0xC4), 1)
	case c >= 0xC7 && c <= 0xC9: // extension, with a byte for its type
		size, _, ok = sized(b, 1<<(c-0xC7), 1)
		return size + 1, 0, ok
	case c == 0xCA || c == 0xCB: // floats
		return 1 + 4<<(c-0xCA), 0, true
	case c >= 0xCC && c <= 0xCF: // unsigned
		return 1 + 1<<(c-0xCC), 0, true
	case c >= 0xD0 && c <= 0xD3: // signed
		return 1 + 1<<(c-0xD0), 0, true
	case c >= 0xD4 && c <= 0xD8: // extension of 1 to 16 bytes
		return 2 + 1<<(c-0xD4), 0, true
	case c >= 0xD9 && c <= 0xDB: // string
		return sized(b, 1<<(c-0xD9), 1)
	case c == 0xDC || c == 0xDD: // array
		return sized(b, 2<<(c-0xDC), 0)
	case c == 0xDE || c == 0xDF: // map
		size, inside, ok = sized(b, 2<<(c-0xDE), 0)
		return size, 2 * inside, ok
	}
	return 0, 0, false // 0xC1
}

// sized reads a length of so many bytes, which counts bytes if each is 1, and
// values otherwise.
func sized(b []byte, bytes, each int) (size, inside int, ok bool) {
	if len(b) < 1+bytes {
		return 0, 0, false
	}
	var n int
	switch bytes {
	case 1:
		n = int(b[1])
	case 2:
		n = int(binary.BigEndian.Uint16(b[1:]))
	default:
		n = int(binary.BigEndian.Uint32(b[1:]))
	}
	if each == 0 {
		return 1 + bytes, n, true
	}
	return 1 + bytes + n, 0, true
}
