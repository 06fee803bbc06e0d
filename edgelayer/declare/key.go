package declare

import (
	"fmt"
	"net/url"
	"strings"

	"warmline.dev/protocol"
	"warmline.dev/protocol/mistake"
)

// A key is made of the values of all variables of a read, in their order, each
// escaped, with slashes between them. So two questions that a source can tell apart
// have two keys, and the request can be made of the key alone.
const (
	onlyKey   = "-"  // of a read without variables
	emptyPart = "%_" // neither can come of escaping
	absent    = "%-"
)

// appendPart appends one value to a key.
func appendPart(key []byte, v string) []byte {
	if v == "" {
		return append(key, emptyPart...)
	}
	for i := range len(v) {
		if c := v[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.') {
			return append(key, url.PathEscape(v)...)
		}
	}
	return append(key, v...)
}

// appendKey appends the key of values. That of the variable each, unless it is
// literal, is element.
func appendKey(key []byte, values []value, each int, element string) []byte {
	if len(values) == 0 {
		return append(key, onlyKey...)
	}
	for i := range values {
		if i > 0 {
			key = append(key, '/')
		}
		switch v := &values[i]; {
		case i == each:
			key = appendPart(key, element)
		case v.absent:
			key = append(key, absent...)
		default:
			key = appendPart(key, v.text)
		}
	}
	return key
}

// split is the values that a key was made of.
func (rd *readDecl) split(key string) ([]value, error) {
	if len(rd.asks.vars) == 0 {
		return nil, nil
	}
	parts := strings.Split(key, "/")
	if len(parts) != len(rd.asks.vars) {
		return nil, protocol.Errorf(protocol.InvalidArgument, "key %q of %s: expected %s", mistake.Clip(key), rd.full(), rd.keyForm())
	}
	values := make([]value, len(parts))
	for i, part := range parts {
		v, err := unescape(part)
		if err != nil {
			return nil, protocol.Errorf(protocol.InvalidArgument, "key %q of %s: %w", mistake.Clip(key), rd.full(), err)
		}
		values[i] = v
	}
	return values, nil
}

func unescape(part string) (value, error) {
	switch part {
	case absent:
		return value{absent: true}, nil
	case emptyPart:
		return value{}, nil
	case "":
		return value{}, fmt.Errorf("a part is empty")
	}
	s, err := url.PathUnescape(part)
	return value{text: s}, err
}

// group is what keys have in common that can be read at once: all but the part
// that the batch is of.
func (rd *readDecl) group(key string) string {
	start := 0
	for range rd.batch.each {
		i := strings.IndexByte(key[start:], '/')
		if i < 0 {
			return key
		}
		start += i + 1
	}
	end := strings.IndexByte(key[start:], '/')
	if end < 0 {
		return key[:start]
	}
	return key[:start] + key[start+end:]
}
