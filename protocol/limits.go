package protocol

import (
	"errors"
	"fmt"

	"github.com/tinylib/msgp/msgp"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// Limits bound one encoded value. The decoders behind them trust lengths: five
// bytes that claim four thousand million elements would end the process.
type Limits struct {
	Depth    int // arrays and maps inside each other
	Elements int // values of all kinds in all
}

// DefaultLimits are far above what a device request needs.
var DefaultLimits = Limits{Depth: 32, Elements: 1 << 17}

// ErrMalformed is wrapped by the error for bytes that are not what they should
// be encoded as. A peer that sends such has its connection closed.
var ErrMalformed = errors.New("malformed")

// Walk goes through the first msgpack value of b without allocating and returns
// its length in bytes, or an error that wraps [ErrMalformed].
func (l Limits) Walk(b []byte) (int, error) {
	n, _, err := l.walk(b, nil)
	return n, err
}

// extension is where one begins in a value, where its data does, and where it ends.
type extension struct{ start, data, end int }

// walk is Walk that also lists the extensions, in room if there is any.
func (l Limits) walk(b []byte, room []extension) (n int, extensions []extension, err error) {
	extensions = room[:0]
	var open [64]uint64 // values left in each array or map that is open
	deepest := max(0, min(l.Depth, len(open)-1))
	size := len(b)
	open[0] = 1
	elements, depth := 0, 0
	for depth >= 0 {
		if open[depth] == 0 {
			depth--
			continue
		}
		open[depth]--
		if elements++; elements > l.Elements {
			return 0, nil, fmt.Errorf("%w msgpack: more than %d elements", ErrMalformed, l.Elements)
		}
		if n := sizeOf(b); n > 0 {
			b = b[n:]
			continue
		}
		inside, rest, err := step(b)
		if err != nil {
			return 0, nil, fmt.Errorf("%w msgpack at byte %d: %w", ErrMalformed, size-len(b), err)
		}
		if n := extensionHeader(b[0]); n > 0 && room != nil && len(b)-len(rest) > n {
			extensions = append(extensions, extension{size - len(b), size - len(b) + n, size - len(rest)})
		}
		if b = rest; inside == 0 {
			continue
		}
		if inside > uint64(len(b)) { // each takes a byte at least
			return 0, nil, fmt.Errorf("%w msgpack at byte %d: %d elements announced in the %d bytes that are left", ErrMalformed, size-len(b), inside, len(b))
		}
		if depth == deepest {
			return 0, nil, fmt.Errorf("%w msgpack at byte %d: deeper than %d", ErrMalformed, size-len(b), deepest)
		}
		depth++
		open[depth] = inside
	}
	return size - len(b), extensions, nil
}

// step passes one value, or the header of an array or map and tells how many
// values are inside.
func step(b []byte) (inside uint64, rest []byte, err error) {
	switch msgp.NextType(b) {
	case msgp.ArrayType:
		n, rest, err := msgp.ReadArrayHeaderBytes(b)
		return uint64(n), rest, err
	case msgp.MapType:
		n, rest, err := msgp.ReadMapHeaderBytes(b)
		return 2 * uint64(n), rest, err
	default:
		rest, err := msgp.Skip(b)
		return 0, rest, err
	}
}

// sizes are those of values that say theirs by their first byte, that included; 0 for
// all others. Most values are such, and are passed without looking further.
var sizes = func() (sizes [256]uint8) {
	for i := range sizes {
		switch lead := byte(i); {
		case lead <= 0x7f || lead >= 0xe0 || lead == msgpcode.Nil || lead == msgpcode.False || lead == msgpcode.True:
			sizes[lead] = 1
		case lead >= 0xa0 && lead <= 0xbf:
			sizes[lead] = 1 + lead&0x1f
		case lead == msgpcode.Uint8 || lead == msgpcode.Int8:
			sizes[lead] = 2
		case lead == msgpcode.Uint16 || lead == msgpcode.Int16:
			sizes[lead] = 3
		case lead == msgpcode.Uint32 || lead == msgpcode.Int32 || lead == msgpcode.Float:
			sizes[lead] = 5
		case lead == msgpcode.Uint64 || lead == msgpcode.Int64 || lead == msgpcode.Double:
			sizes[lead] = 9
		}
	}
	return sizes
}()

// sizeOf is the size of the value that b begins with, or 0: then [step] knows.
func sizeOf(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	if n := int(sizes[b[0]]); n <= len(b) {
		return n
	}
	return 0
}

// skip passes one value that has been walked.
func skip(b []byte) (rest []byte, err error) {
	for left := uint64(1); left > 0; left-- {
		if n := sizeOf(b); n > 0 {
			b = b[n:]
			continue
		}
		inside, rest, err := step(b)
		if err != nil {
			return nil, err
		}
		b = rest
		left += inside
	}
	return b, nil
}

// extensionHeader is how many bytes stand before the data of an extension that
// begins with lead, 0 if lead begins another value.
func extensionHeader(lead byte) int {
	switch lead {
	case msgpcode.FixExt1, msgpcode.FixExt2, msgpcode.FixExt4, msgpcode.FixExt8, msgpcode.FixExt16:
		return 2
	case msgpcode.Ext8:
		return 3
	case msgpcode.Ext16:
		return 4
	case msgpcode.Ext32:
		return 6
	}
	return 0
}

// Check walks b and wants it to be exactly one value.
func (l Limits) Check(b []byte) error {
	_, err := l.check(b, nil)
	return err
}

// check is Check that also lists the extensions, as walk does.
func (l Limits) check(b []byte, room []extension) ([]extension, error) {
	n, extensions, err := l.walk(b, room)
	if err == nil && n != len(b) {
		err = fmt.Errorf("%w msgpack: %d bytes behind the value", ErrMalformed, len(b)-n)
	}
	return extensions, err
}
