package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"

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

func (msgpackCodec) References(args Raw) ([]Reference, error) {
	var all []Reference
	err := eachReference(args, func(_ extension, r Reference) error {
		r.Path = slices.Clone(r.Path)
		all = append(all, r)
		return nil
	})
	return all, err
}

func (msgpackCodec) Rewrite(args Raw, by func(r Reference) (Raw, error)) (Raw, error) {
	var out []byte
	copied := 0
	err := eachReference(args, func(at extension, r Reference) error {
		v, err := by(r)
		out = append(append(out, args[copied:at.start]...), v...)
		copied = at.end
		return err
	})
	if err != nil || copied == 0 {
		return args, err
	}
	return append(out, args[copied:]...), nil
}

// eachReference calls f with every reference in a value, whose path is f's only until
// it returns.
func eachReference(value Raw, f func(at extension, r Reference) error) error {
	var few [4]extension
	extensions := few[:0]
	if err := DefaultLimits.check(value, &extensions); err != nil {
		return err
	}
	var room []Step
	for _, e := range extensions {
		if value[e.data-1] != referenceType {
			continue
		}
		data := value[e.data:e.end]
		if err := DefaultLimits.Check(data); err != nil {
			return errNoReference
		}
		if room == nil {
			room = make([]Step, 0, 4)
		}
		r, err := parseReference(data, room)
		if err == nil {
			err = f(e, r)
		}
		if err != nil {
			return err
		}
		room = r.Path
	}
	return nil
}

func (msgpackCodec) Resolve(args Raw, most int, results func(call uint32) (Raw, error)) (Raw, error) {
	var in msgpackParts
	var out []byte
	var trace []Step
	copied := 0
	err := eachReference(args, func(at extension, r Reference) error {
		result, err := results(r.Call)
		if err == nil {
			err = in.work.do(len(result))
		}
		if err == nil {
			err = DefaultLimits.Check(result)
		}
		if err != nil {
			return err
		}
		out = append(out, args[copied:at.start]...)
		copied = at.end
		before := len(out)
		n := 0
		if trace == nil {
			trace = make([]Step, 0, maxSteps)
		}
		err = pick(&in, []byte(result), r.Path, trace, func(part []byte) error {
			if n++; len(out)+len(part) > most {
				return tooLong(most)
			}
			out = append(out, part...)
			return nil
		})
		if err != nil {
			return unresolved(r, err)
		}
		if r.many() {
			var head [5]byte
			h := msgp.AppendArrayHeader(head[:0], uint32(n))
			out = append(out, h...)
			copy(out[before+len(h):], out[before:])
			copy(out[before:], h)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if out = append(out, args[copied:]...); len(out) > most {
		return nil, tooLong(most)
	}
	return out, nil
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

func (jsonCodec) References(args Raw) ([]Reference, error) {
	var all []Reference
	_, err := substitute(args, func(r Reference) (any, error) {
		all = append(all, r)
		return nil, nil
	})
	return all, err
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
