package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/tinylib/msgp/msgp"
)

// parts is how the values of one encoding are stepped into.
type parts[V any] interface {
	// field returns the value under a key, or what is wrong with v.
	field(v V, key string) (V, error)
	// each calls f with the elements from the one position up to the other; a
	// negative to is the end.
	each(v V, from, to int, f func(i int, e V) error) error
}

// pick calls emit with each part of v that the path leads to. The error tells
// where it leads nowhere: trace is how v was come by.
func pick[V any](in parts[V], v V, path, trace []Step, emit func(V) error) error {
	for i, s := range path {
		var err error
		switch s.kind {
		case stepKey:
			v, err = in.field(v, s.key)
		case stepIndex:
			v, err = elementAt(in, v, s.from)
		case stepEach:
			err = pickEach(in, v, s, path[i+1:], trace, emit)
		}
		if why, ok := err.(nowhere); ok { //nolint:errorlint // it is never wrapped
			return Errorf(Unresolved, "%s: %s", pathText(append(trace, s)), string(why))
		}
		if err != nil || s.kind == stepEach {
			return err
		}
		trace = append(trace, s)
	}
	return emit(v)
}

// pickEach is pick from every element that s stands for.
func pickEach[V any](in parts[V], list V, s Step, path, trace []Step, emit func(V) error) error {
	return in.each(list, s.from, s.to, func(n int, e V) error {
		return pick(in, e, path, append(trace, Index(n)), emit)
	})
}

// elementAt is that of a list at a position.
func elementAt[V any](in parts[V], list V, at int) (e V, err error) {
	found := false
	err = in.each(list, at, at+1, func(_ int, v V) error { e, found = v, true; return nil })
	if err == nil && !found {
		err = nowhere("no such element")
	}
	return e, err
}

// nowhere is why a step leads nowhere.
type nowhere string

func (n nowhere) Error() string { return string(n) }

// work bounds the bytes that the references of one call may pass over: a
// reference is short, and what it steps over is long.
type work int

const maxWork = 64 << 20

func (w *work) do(n int) error {
	if *w += work(n); *w > maxWork {
		return Errorf(TooLarge, "the references of the arguments step over more than %d bytes of results", maxWork)
	}
	return nil
}

func tooLong(most int) error {
	return Errorf(TooLarge, "the arguments with what they refer to take more than %d bytes", most)
}

func (msgpackCodec) Calls(args Raw) ([]uint32, error) {
	var room [few]extension
	found, err := references(args, room[:])
	if err != nil || len(found) == 0 {
		return nil, err
	}
	calls := make([]uint32, len(found))
	for i, at := range found {
		if calls[i], _, err = readReference(args[at.data:at.end], nil); err != nil {
			return nil, err
		}
	}
	return calls, nil
}

func (msgpackCodec) Renumber(args Raw, by func(call uint32) (uint32, error)) (Raw, error) {
	var room [few]extension
	found, err := references(args, room[:])
	if err != nil || len(found) == 0 {
		return args, err
	}
	const longer = 8 // than before is a reference at most
	out := make([]byte, 0, len(args)+longer*len(found))
	copied := 0
	for _, at := range found {
		data := args[at.data:at.end]
		call, _, err := readReference(data, nil)
		if err == nil {
			call, err = by(call)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, args[copied:at.start]...)
		out = appendRenumbered(out, data, call)
		copied = at.end
	}
	return append(out, args[copied:]...), nil
}

func (msgpackCodec) Rewrite(args Raw, by func(r Reference) (Raw, error)) (Raw, error) {
	var room [few]extension
	found, err := references(args, room[:])
	if err != nil || len(found) == 0 {
		return args, err
	}
	var out []byte
	copied := 0
	for _, at := range found {
		r, err := parseReference(args[at.data:at.end], nil)
		if err != nil {
			return nil, err
		}
		v, err := by(r)
		if err != nil {
			return nil, err
		}
		out = append(append(out, args[copied:at.start]...), v...)
		copied = at.end
	}
	return append(out, args[copied:]...), nil
}

// few references is what arguments have as a rule.
const few = 4

// references lists the references in a value, in room if there is enough. What they
// say has not been read.
func references(value Raw, room []extension) ([]extension, error) {
	extensions, err := DefaultLimits.check(value, room)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(extensions, func(e extension) bool { return value[e.data-1] != referenceType }), nil
}

// resolving resolves the references of one value after another: it is used again, for
// the room that it has.
type resolving struct {
	in          msgpackParts
	out         []byte
	most        int
	parts       int // that the reference has led to
	path, trace []Step
	add         func(part []byte) error // r.addPart, made once
}

var resolvings = sync.Pool{New: func() any {
	r := &resolving{path: make([]Step, 0, maxSteps), trace: make([]Step, 0, maxSteps)}
	r.add = r.addPart
	return r
}}

func (msgpackCodec) Resolve(args Raw, most int, results func(call uint32) (Raw, error)) (Raw, error) {
	var room [few]extension
	found, err := references(args, room[:])
	if err != nil {
		return nil, err
	}
	r := resolvings.Get().(*resolving)
	r.in, r.out, r.most = msgpackParts{}, r.out[:0], most
	copied := 0
	for _, at := range found {
		r.out = append(r.out, args[copied:at.start]...)
		copied = at.end
		if err := r.resolve(args[at.data:at.end], results); err != nil {
			return nil, err
		}
	}
	if r.out = append(r.out, args[copied:]...); len(r.out) > most {
		return nil, tooLong(most)
	}
	out := bytes.Clone(r.out)
	if cap(r.out) <= largest {
		resolvings.Put(r)
	}
	return out, nil
}

// resolve appends what a reference stands for.
func (r *resolving) resolve(data []byte, results func(call uint32) (Raw, error)) error {
	ref, err := parseReference(data, r.path)
	if err != nil {
		return err
	}
	result, err := results(ref.Call)
	if err == nil {
		err = r.in.work.do(len(result))
	}
	if err == nil {
		err = DefaultLimits.Check(result)
	}
	if err != nil {
		return err
	}
	before := len(r.out)
	r.parts = 0
	if err := pick(&r.in, []byte(result), ref.Path, r.trace, r.add); err != nil {
		return unresolved(ref, err)
	}
	if ref.many() {
		var head [5]byte
		h := msgp.AppendArrayHeader(head[:0], uint32(r.parts))
		r.out = append(r.out, h...)
		copy(r.out[before+len(h):], r.out[before:])
		copy(r.out[before:], h)
	}
	return nil
}

func (r *resolving) addPart(part []byte) error {
	if r.parts++; len(r.out)+len(part) > r.most {
		return tooLong(r.most)
	}
	r.out = append(r.out, part...)
	return nil
}

// unresolved says which reference an error is about.
func unresolved(r Reference, err error) error {
	e := AsError(err)
	return &Error{Code: e.Code, Message: fmt.Sprintf("call %d: %s", r.Call, e.Message), Retry: e.Retry}
}

// msgpackParts steps into msgpack that has been walked.
type msgpackParts struct{ work work }

func (p *msgpackParts) field(v []byte, key string) ([]byte, error) {
	n, b, err := msgp.ReadMapHeaderBytes(v)
	if err != nil {
		return nil, nowhere("not a map")
	}
	for range n {
		var name []byte
		if msgp.NextType(b) == msgp.StrType {
			name, b, err = msgp.ReadStringZC(b)
		} else {
			b, err = skip(b)
		}
		if err != nil {
			return nil, err
		}
		rest, err := skip(b)
		if err != nil {
			return nil, err
		}
		size := len(b) - len(rest)
		if err := p.work.do(size + len(name)); err != nil {
			return nil, err
		}
		if name != nil && string(name) == key {
			return b[:size:size], nil
		}
		b = rest
	}
	return nil, nowhere("no such key")
}

func (p *msgpackParts) each(v []byte, from, to int, f func(i int, e []byte) error) error {
	n, b, err := msgp.ReadArrayHeaderBytes(v)
	if err != nil {
		return nowhere("not a list")
	}
	if to < 0 {
		to = math.MaxInt
	}
	for i := range min(int(n), to) {
		rest, err := skip(b)
		if err != nil {
			return err
		}
		size := len(b) - len(rest)
		if err := p.work.do(size); err != nil {
			return err
		}
		if i >= from {
			if err := f(i, b[:size:size]); err != nil {
				return err
			}
		}
		b = rest
	}
	return nil
}

func (jsonCodec) Calls(args Raw) ([]uint32, error) {
	var calls []uint32
	_, err := substitute(args, func(r Reference) (any, error) {
		calls = append(calls, r.Call)
		return nil, nil
	})
	return calls, err
}

func (c jsonCodec) Renumber(args Raw, by func(call uint32) (uint32, error)) (Raw, error) {
	return c.Rewrite(args, func(r Reference) (_ Raw, err error) {
		if r.Call, err = by(r.Call); err != nil {
			return nil, err
		}
		return c.Marshal(r)
	})
}

func (c jsonCodec) Rewrite(args Raw, by func(r Reference) (Raw, error)) (Raw, error) {
	v, err := substitute(args, func(r Reference) (any, error) {
		v, err := by(r)
		return json.RawMessage(v), err
	})
	if err != nil {
		return nil, err
	}
	return c.Marshal(v)
}

func (c jsonCodec) Resolve(args Raw, most int, results func(call uint32) (Raw, error)) (Raw, error) {
	var in jsonParts
	decoded := map[uint32]any{}
	size := len(args)
	v, err := substitute(args, func(r Reference) (any, error) {
		result, ok := decoded[r.Call]
		if !ok {
			raw, err := results(r.Call)
			if err == nil {
				result, err = decodeAny(raw)
			}
			if err != nil {
				return nil, err
			}
			decoded[r.Call] = result
		}
		list := []any{}
		err := pick(&in, result, r.Path, make([]Step, 0, maxSteps), func(part any) error {
			if size += weight(part); size > most {
				return tooLong(most)
			}
			list = append(list, part)
			return nil
		})
		if err != nil {
			return nil, unresolved(r, err)
		}
		if r.many() {
			return list, nil
		}
		return list[0], nil
	})
	if err != nil {
		return nil, err
	}
	out, err := c.Marshal(v)
	if err == nil && len(out) > most {
		err = tooLong(most)
	}
	return out, err
}

// weight is about as many bytes as v takes.
func weight(v any) int {
	n := 2
	switch v := v.(type) {
	case string:
		n += len(v)
	case json.Number:
		n += len(v)
	case []any:
		for _, e := range v {
			n += weight(e)
		}
	case map[string]any:
		for k, e := range v {
			n += len(k) + weight(e)
		}
	}
	return n
}

func decodeAny(b []byte) (v any, err error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("%w JSON: %w", ErrMalformed, err)
	}
	return v, nil
}

// substitute decodes a value and replaces every reference in it.
func substitute(value Raw, by func(r Reference) (any, error)) (any, error) {
	v, err := decodeAny(value)
	if err != nil {
		return nil, err
	}
	return substituteIn(v, by)
}

func substituteIn(v any, by func(r Reference) (any, error)) (_ any, err error) {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v[referenceKey]; ok && len(v) == 1 {
			r, err := parseJSONReference(ref)
			if err != nil {
				return nil, err
			}
			return by(r)
		}
		for k, e := range v {
			if v[k], err = substituteIn(e, by); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, e := range v {
			if v[i], err = substituteIn(e, by); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// jsonParts steps into decoded JSON.
type jsonParts struct{ work work }

func (p *jsonParts) field(v any, key string) (any, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, nowhere("not a map")
	}
	if v, ok = m[key]; !ok {
		return nil, nowhere("no such key")
	}
	return v, p.work.do(1)
}

func (p *jsonParts) each(v any, from, to int, f func(i int, e any) error) error {
	list, ok := v.([]any)
	if !ok {
		return nowhere("not a list")
	}
	if to < 0 {
		to = len(list)
	}
	for i := from; i < min(to, len(list)); i++ {
		if err := p.work.do(1); err != nil {
			return err
		}
		if err := f(i, list[i]); err != nil {
			return err
		}
	}
	return nil
}
