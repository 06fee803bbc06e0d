package declare

import (
	"errors"

	"github.com/tinylib/msgp/msgp"

	"warmline.dev/protocol"
)

var errNoMapping = errors.New("it is no mapping, so nothing can be picked of it")

// append appends to dst what is picked of a value, in one pass over it. What is not
// there is left out; nothing stays nothing.
func (p *pick) append(dst []byte, v protocol.Raw) ([]byte, error) {
	if isNil(v) {
		return append(dst, v...), nil
	}
	var room [maxPicked][]byte
	out := room[:len(p.names)]
	if msgp.NextType(v) != msgp.MapType {
		return dst, errNoMapping
	}
	if err := p.root.collect(v, out); err != nil {
		return dst, err
	}
	there := uint32(0)
	for _, o := range out {
		if o != nil {
			there++
		}
	}
	dst = msgp.AppendMapHeader(dst, there)
	for i, o := range out {
		if o != nil {
			dst = append(append(dst, p.names[i]...), o...)
		}
	}
	return dst, nil
}

// collect puts what is looked for in v into out.
func (b *branch) collect(v []byte, out [][]byte) error {
	n, v, err := msgp.ReadMapHeaderBytes(v)
	if err != nil {
		return err
	}
	likely := 0 // fields mostly come in the order in which they are picked
	for range n {
		var key, value []byte
		if key, v, err = msgp.ReadStringZC(v); err != nil {
			return err
		}
		if value, v, err = next(v); err != nil {
			return err
		}
		i := likely
		if i >= len(b.names) || string(key) != b.names[i] {
			i = b.index(key)
		}
		if i < 0 {
			continue
		}
		likely = i + 1
		l := &b.leaves[i]
		for _, o := range l.out {
			out[o] = value
		}
		if l.inside != nil && msgp.NextType(value) == msgp.MapType {
			if err := l.inside.collect(value, out); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *branch) index(key []byte) int {
	for i, name := range b.names {
		if string(key) == name {
			return i
		}
	}
	return -1
}
