package protocol

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tinylib/msgp/msgp"
	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// Reference stands, anywhere in the arguments of a call, for a part of the result
// of an earlier call of the same conversation. The edge puts that part in its
// place, as soon as it is there, before the call runs.
//
// In msgpack it is an extension of type 1 whose data is the array [call, steps…];
// in JSON {"$ref":[call, steps…]}. A call that has any says so: see [How].
type Reference struct {
	Call uint32 // the id of the call
	Path []Step // from its result to the part; none is all of it; at most 16 steps
}

// Step is one step into a value: [Key], [Index], [Each] or [Slice]. Of several
// Each and Slice on one path the lists are joined to one.
type Step struct {
	kind     stepKind
	key      string
	from, to int // to < 0: to the end
}

type stepKind uint8

const (
	stepKey stepKind = iota
	stepIndex
	stepEach
)

const (
	maxSteps      = 16
	referenceType = 1 // of the msgpack extension
	referenceKey  = "$ref"
)

// Each steps into every element of a list: what the rest of the path leads to in
// each of them makes a list.
var Each = Step{kind: stepEach, to: -1}

// Key steps into a map.
func Key(name string) Step { return Step{kind: stepKey, key: name} }

// Index steps into an element of a list, the first being 0.
func Index(i int) Step { return Step{kind: stepIndex, from: i} }

// Slice is [Each] of the elements from the one up to, and without, the other, or
// of those of them that there are; a negative to is the end.
func Slice(from, to int) Step { return Step{kind: stepEach, from: from, to: to} }

// String writes the path as in "items[*].id of call 1".
func (r Reference) String() string {
	return fmt.Sprintf("%s of call %d", pathText(r.Path), r.Call)
}

func pathText(path []Step) string {
	if len(path) == 0 {
		return "the result"
	}
	var b strings.Builder
	for i, s := range path {
		switch {
		case s.kind == stepKey:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(clip(s.key))
		case s.kind == stepIndex:
			fmt.Fprintf(&b, "[%d]", s.from)
		case s == Each:
			b.WriteString("[*]")
		case s.to < 0:
			fmt.Fprintf(&b, "[%d:]", s.from)
		default:
			fmt.Fprintf(&b, "[%d:%d]", s.from, s.to)
		}
	}
	return b.String()
}

// clip keeps a peer's text from filling a message.
func clip(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

// many reports whether the path leads to a list of parts.
func (r Reference) many() bool {
	return slices.ContainsFunc(r.Path, func(s Step) bool { return s.kind == stepEach })
}

// check says what is wrong with a reference that came, or was made, somehow.
func (r Reference) check() error {
	if len(r.Path) > maxSteps {
		return Errorf(InvalidArgument, "a reference of %d steps, expected at most %d", len(r.Path), maxSteps)
	}
	for _, s := range r.Path {
		if s.from < 0 || s.from > math.MaxInt32 || s.to > math.MaxInt32 {
			return Errorf(InvalidArgument, "a reference to %s: expected positions of 0 to %d", r, math.MaxInt32)
		}
	}
	return nil
}

// elements is the reference as the array that JSON has.
func (r Reference) elements() ([]any, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	a := []any{r.Call}
	for _, s := range r.Path {
		switch {
		case s.kind == stepKey:
			a = append(a, s.key)
		case s.kind == stepIndex:
			a = append(a, s.from)
		case s == Each:
			a = append(a, nil)
		case s.to < 0:
			a = append(a, []any{s.from})
		default:
			a = append(a, []any{s.from, s.to})
		}
	}
	return a, nil
}

// MarshalJSON writes {"$ref":[call, steps…]}.
func (r Reference) MarshalJSON() ([]byte, error) {
	a, err := r.elements()
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{referenceKey: a})
}

// EncodeMsgpack writes the extension.
func (r Reference) EncodeMsgpack(enc *msgpack.Encoder) error {
	data, err := r.appendData(nil)
	if err != nil {
		return err
	}
	if err := enc.EncodeExtHeader(referenceType, len(data)); err != nil {
		return err
	}
	_, err = enc.Writer().Write(data)
	return err
}

// appendData appends the data of the extension.
func (r Reference) appendData(dst []byte) ([]byte, error) {
	if err := r.check(); err != nil {
		return dst, err
	}
	if dst == nil {
		dst = make([]byte, 0, 64)
	}
	dst = msgp.AppendArrayHeader(dst, uint32(1+len(r.Path)))
	dst = msgp.AppendUint32(dst, r.Call)
	for _, s := range r.Path {
		switch {
		case s.kind == stepKey:
			dst = msgp.AppendString(dst, s.key)
		case s.kind == stepIndex:
			dst = msgp.AppendUint64(dst, uint64(s.from))
		case s == Each:
			dst = msgp.AppendNil(dst)
		case s.to < 0:
			dst = msgp.AppendUint64(msgp.AppendArrayHeader(dst, 1), uint64(s.from))
		default:
			dst = msgp.AppendUint64(msgp.AppendUint64(msgp.AppendArrayHeader(dst, 2), uint64(s.from)), uint64(s.to))
		}
	}
	return dst, nil
}

var _ msgpack.CustomEncoder = Reference{}

// errNoReference says what a reference looks like.
var errNoReference = Errorf(InvalidArgument, "a reference that is none: expected the id of a call and at most %d steps, each a text, an index, nil, [from] or [from, to]", maxSteps)

// parseReference reads the data of an extension. The path is in room, if it has enough.
func parseReference(data []byte, room []Step) (r Reference, err error) {
	r.Path = room[:0]
	r.Call, _, err = readReference(data, func(s Step, key []byte) {
		s.key = string(key)
		r.Path = append(r.Path, s)
	})
	return r, err
}

// readReference reads the data of an extension, and calls f, if it is not nil, with
// each step and, for one that is a key, that. It returns where the path is, too.
func readReference(data []byte, f func(s Step, key []byte)) (call uint32, path []byte, err error) {
	n, data, err := msgp.ReadArrayHeaderBytes(data)
	if err == nil && n > 0 {
		call, data, err = msgp.ReadUint32Bytes(data)
	}
	if err != nil || n == 0 || n > maxSteps+1 {
		return 0, nil, errNoReference
	}
	path = data
	for range n - 1 {
		var s Step
		var key []byte
		if s, key, data, err = readStep(data); err != nil {
			return 0, nil, errNoReference
		}
		if f != nil {
			f(s, key)
		}
	}
	if len(data) != 0 {
		return 0, nil, errNoReference
	}
	return call, path, nil
}

func readStep(data []byte) (s Step, key, rest []byte, err error) {
	switch msgp.NextType(data) {
	case msgp.StrType:
		key, data, err = msgp.ReadStringZC(data)
	case msgp.NilType:
		s = Each
		data, err = msgp.ReadNilBytes(data)
	case msgp.ArrayType:
		s = Each
		var ends uint32
		if ends, data, err = msgp.ReadArrayHeaderBytes(data); err == nil && (ends < 1 || ends > 2) {
			err = errNoReference
		}
		if err == nil {
			s.from, data, err = readPosition(data)
		}
		if err == nil && ends == 2 {
			s.to, data, err = readPosition(data)
		}
	default:
		s.kind = stepIndex
		s.from, data, err = readPosition(data)
	}
	return s, key, data, err
}

// appendRenumbered appends a reference to another call, whose path is that of one
// that has been read.
func appendRenumbered(dst, data []byte, call uint32) []byte {
	_, path, _ := readReference(data, nil)
	n, _, _ := msgp.ReadArrayHeaderBytes(data)
	var room [16]byte
	head := msgp.AppendUint32(msgp.AppendArrayHeader(room[:0], n), call)
	dst = appendExtension(dst, len(head)+len(path))
	return append(append(dst, head...), path...)
}

// appendExtension appends what stands before the data of the extension, n bytes.
func appendExtension(dst []byte, n int) []byte {
	switch {
	case n == 1:
		dst = append(dst, msgpcode.FixExt1)
	case n == 2:
		dst = append(dst, msgpcode.FixExt2)
	case n == 4:
		dst = append(dst, msgpcode.FixExt4)
	case n == 8:
		dst = append(dst, msgpcode.FixExt8)
	case n == 16:
		dst = append(dst, msgpcode.FixExt16)
	case n <= math.MaxUint8:
		dst = append(dst, msgpcode.Ext8, byte(n))
	case n <= math.MaxUint16:
		dst = binary.BigEndian.AppendUint16(append(dst, msgpcode.Ext16), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint32(append(dst, msgpcode.Ext32), uint32(n))
	}
	return append(dst, referenceType)
}

func readPosition(b []byte) (int, []byte, error) {
	n, rest, err := msgp.ReadInt64Bytes(b)
	if err == nil && (n < 0 || n > math.MaxInt32) {
		err = errNoReference
	}
	return int(n), rest, err
}

// parseJSONReference reads what stands under "$ref".
func parseJSONReference(v any) (r Reference, err error) {
	a, _ := v.([]any)
	if len(a) == 0 || len(a) > maxSteps+1 {
		return r, errNoReference
	}
	call, err := position(a[0], math.MaxUint32)
	if err != nil {
		return r, err
	}
	r.Call = uint32(call)
	for _, e := range a[1:] {
		var s Step
		switch e := e.(type) {
		case string:
			s = Key(e)
		case nil:
			s = Each
		case []any:
			s = Each
			if len(e) < 1 || len(e) > 2 {
				return r, errNoReference
			}
			if s.from, err = position(e[0], math.MaxInt32); err == nil && len(e) == 2 {
				s.to, err = position(e[1], math.MaxInt32)
			}
		default:
			s.kind = stepIndex
			s.from, err = position(e, math.MaxInt32)
		}
		if err != nil {
			return r, err
		}
		r.Path = append(r.Path, s)
	}
	return r, nil
}

func position(v any, most int64) (int, error) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, errNoReference
	}
	i, err := strconv.ParseInt(n.String(), 10, 64)
	if err != nil || i < 0 || i > most {
		return 0, errNoReference
	}
	return int(i), nil
}
