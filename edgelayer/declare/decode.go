package declare

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/tinylib/msgp/msgp"

	"warmline.dev/edgelayer"
	"warmline.dev/protocol"
	"warmline.dev/protocol/mistake"
)

// decode reads arguments into values, which are by the index of the argument.
func (m *methodDecl) decode(codec protocol.Codec, args protocol.Raw, into []value) error {
	for i := range into {
		into[i].absent = true
	}
	if err := m.given(codec, args, into); err != nil {
		return edgelayer.WrongArguments(err)
	}
	for i := range into {
		a := &m.args[i]
		switch {
		case !into[i].absent:
			if err := a.check(into[i]); err != nil {
				return protocol.Errorf(protocol.InvalidArgument, "%w", err)
			}
		case a.def != nil:
			into[i] = *a.def
		case !a.optional:
			return edgelayer.WrongArguments(fmt.Errorf("%s is missing", a.name))
		}
	}
	return nil
}

// given reads the arguments that there are.
func (m *methodDecl) given(codec protocol.Codec, args protocol.Raw, into []value) error {
	if len(args) == 0 {
		return nil
	}
	if codec == protocol.JSON {
		var err error
		if args, err = transcode(args); err != nil {
			return err
		}
	}
	if isNil(args) {
		return nil
	}
	n, b, err := msgp.ReadMapHeaderBytes(args)
	if err != nil {
		return errors.New("they are not a mapping")
	}
	for range n {
		if msgp.NextType(b) != msgp.StrType {
			return errors.New("a name is not a string")
		}
		var name []byte
		if name, b, err = msgp.ReadStringZC(b); err != nil {
			return err
		}
		i := m.argument(name)
		if i < 0 {
			return fmt.Errorf("there is no argument %q", mistake.Clip(string(name)))
		}
		if b, err = m.args[i].read(b, &into[i]); err != nil {
			return err
		}
	}
	return nil
}

func (m *methodDecl) argument(name []byte) int {
	for i := range m.args {
		if m.args[i].name == string(name) {
			return i
		}
	}
	return -1
}

// read reads the value of an argument, and returns what is behind it.
func (a *argument) read(b []byte, into *value) (rest []byte, err error) {
	*into = value{}
	if msgp.NextType(b) == msgp.NilType {
		into.absent = true
		return msgp.ReadNilBytes(b)
	}
	if !a.list {
		into.text, rest, err = a.scalar(b)
		return rest, err
	}
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return nil, fmt.Errorf("%s is not a list", a.name)
	}
	if int64(n) > int64(a.most) { // before room is made for them
		return nil, protocol.Errorf(protocol.InvalidArgument, "%s has %d elements, expected at most %d", a.name, n, a.most)
	}
	into.list = make([]string, n)
	for i := range into.list {
		if into.list[i], b, err = a.scalar(b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// scalar reads a value of the argument's kind as text.
func (a *argument) scalar(b []byte) (s string, rest []byte, err error) {
	switch t := msgp.NextType(b); {
	case a.kind == text && t == msgp.StrType:
		return msgp.ReadStringBytes(b)
	case a.kind == integer && (t == msgp.IntType || t == msgp.UintType):
		i, rest, err := msgp.ReadInt64Bytes(b)
		if err != nil {
			return "", nil, fmt.Errorf("%s: more than 64 bits", a.name)
		}
		return strconv.FormatInt(i, 10), rest, nil
	case a.kind == number && (t == msgp.IntType || t == msgp.UintType || t == msgp.Float32Type || t == msgp.Float64Type):
		f, rest, err := msgp.ReadFloat64Bytes(b)
		if err != nil {
			v, ok := asText(b)
			rest, err = msgp.Skip(b)
			if f, _ = strconv.ParseFloat(v, 64); !ok {
				err = fmt.Errorf("%s: no number", a.name)
			}
		}
		if err == nil && (math.IsNaN(f) || math.IsInf(f, 0)) {
			err = fmt.Errorf("%s is %v, which JSON doesn't have", a.name, f)
		}
		return formatNumber(f), rest, err
	case a.kind == boolean && t == msgp.BoolType:
		v, rest, err := msgp.ReadBoolBytes(b)
		return strconv.FormatBool(v), rest, err
	}
	return "", nil, fmt.Errorf("%s is not %s", a.name, article(a.kind))
}

// appendValue appends the text of a value as msgpack of its kind.
func (k kind) appendValue(dst []byte, s string) []byte {
	switch k {
	case integer:
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			return msgp.AppendInt64(dst, i)
		}
	case number:
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return msgp.AppendFloat64(dst, f)
		}
	case boolean:
		return msgp.AppendBool(dst, s == "true")
	}
	return msgp.AppendString(dst, s)
}
