package declare

import (
	"strconv"

	"github.com/tinylib/msgp/msgp"

	"warmline.dev/protocol"
)

// What is below steps into msgpack that transcode has made.

func isNil(v protocol.Raw) bool { return len(v) == 1 && v[0] == 0xC0 }

// next is the first value of b, and what is behind it.
func next(b []byte) (v, rest []byte, err error) {
	rest, err = msgp.Skip(b)
	if err != nil {
		return nil, nil, err
	}
	n := len(b) - len(rest)
	return b[:n:n], rest, nil
}

// find is the value at a path; ok is false if there is none.
func find(v protocol.Raw, p path) (_ protocol.Raw, ok bool) {
	for _, name := range p {
		n, b, err := msgp.ReadMapHeaderBytes(v)
		if err != nil {
			return nil, false
		}
		ok := false
		for range n {
			key, rest, err := msgp.ReadStringZC(b)
			if err != nil {
				return nil, false
			}
			var inside []byte
			if inside, b, err = next(rest); err != nil {
				return nil, false
			}
			if string(key) == name {
				v, ok = inside, true
				break
			}
		}
		if !ok {
			return nil, false
		}
	}
	return v, true
}

// asText is a scalar as it stands in keys and passports.
func asText(v protocol.Raw) (s string, ok bool) {
	var err error
	switch msgp.NextType(v) {
	case msgp.StrType:
		s, _, err = msgp.ReadStringBytes(v)
	case msgp.IntType:
		var i int64
		i, _, err = msgp.ReadInt64Bytes(v)
		s = strconv.FormatInt(i, 10)
	case msgp.UintType:
		var u uint64
		u, _, err = msgp.ReadUint64Bytes(v)
		s = strconv.FormatUint(u, 10)
	case msgp.Float64Type, msgp.Float32Type:
		var f float64
		f, _, err = msgp.ReadFloat64Bytes(v)
		s = formatNumber(f)
	case msgp.BoolType:
		var b bool
		b, _, err = msgp.ReadBoolBytes(v)
		s = strconv.FormatBool(b)
	default:
		return "", false
	}
	return s, err == nil
}
