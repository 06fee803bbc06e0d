package declare

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/tinylib/msgp/msgp"

	"warmline.dev/protocol"
	"warmline.dev/protocol/mistake"
)

// What a value from a source may be, so that what is made of it fits into an
// answer.
const (
	maxValueDepth = 24
	maxValues     = 100_000
)

// transcode makes msgpack of one JSON value. Whole numbers stay whole where 64
// bits hold them and become floats where they don't; what is no UTF-8 becomes
// U+FFFD, as encoding/json has it. A name that is in a mapping twice is an error.
func transcode(text []byte) (protocol.Raw, error) {
	t := transcoder{dec: jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowInvalidUTF8(true)), out: make([]byte, 0, len(text))}
	if err := t.value(0); err != nil {
		return nil, t.at(err)
	}
	if _, err := t.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, t.at(errors.New("more than one value"))
	}
	return t.out, nil
}

type transcoder struct {
	dec    *jsontext.Decoder
	out    []byte
	values int
}

// at says where it went wrong.
func (t *transcoder) at(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if _, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return err // which says it
	}
	return fmt.Errorf("JSON, byte %d: %w", t.dec.InputOffset(), err)
}

func (t *transcoder) value(depth int) error {
	token, err := t.dec.ReadToken()
	if err != nil {
		return err
	}
	if t.values++; t.values > maxValues {
		return fmt.Errorf("more than %d values", maxValues)
	}
	switch token.Kind() {
	case '"':
		t.out = msgp.AppendString(t.out, token.String())
	case '0':
		return t.number(token.String())
	case 't', 'f':
		t.out = msgp.AppendBool(t.out, token.Bool())
	case 'n':
		t.out = msgp.AppendNil(t.out)
	case '{':
		return t.nested(depth+1, 2, msgp.AppendMapHeader)
	case '[':
		return t.nested(depth+1, 1, msgp.AppendArrayHeader)
	}
	return nil
}

func (t *transcoder) number(s string) error {
	if !strings.ContainsAny(s, ".eE") {
		if v, err := strconv.ParseInt(s, 10, 64); err == nil {
			t.out = msgp.AppendInt64(t.out, v)
			return nil
		}
		if v, err := strconv.ParseUint(s, 10, 64); err == nil {
			t.out = msgp.AppendUint64(t.out, v)
			return nil
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return fmt.Errorf("the number %s: %w", mistake.Clip(s), strconv.ErrRange)
	}
	t.out = msgp.AppendFloat64(t.out, v)
	return nil
}

// nested is the elements of an array, or of an object, which are two values each.
func (t *transcoder) nested(depth, each int, header func([]byte, uint32) []byte) error {
	if depth > maxValueDepth {
		return fmt.Errorf("deeper than %d", maxValueDepth)
	}
	start := len(t.out)
	t.out = append(t.out, 0) // the header, of the size that most have
	n := 0
	for next := t.dec.PeekKind(); next != '}' && next != ']' && next != 0; next = t.dec.PeekKind() {
		for range each {
			if err := t.value(depth); err != nil {
				return err
			}
		}
		n++
	}
	if _, err := t.dec.ReadToken(); err != nil { // the end, or what is wrong
		return err
	}
	t.head(start, n, header)
	return nil
}

// head puts a header that was not known before into its place.
func (t *transcoder) head(start, n int, appendHeader func([]byte, uint32) []byte) {
	var room [5]byte
	h := appendHeader(room[:0], uint32(n))
	if more := len(h) - 1; more > 0 {
		t.out = append(t.out, h[:more]...) // room
		copy(t.out[start+len(h):], t.out[start+1:len(t.out)-more])
	}
	copy(t.out[start:], h)
}

// toJSON makes JSON of msgpack that transcode, or a template, has made.
func toJSON(value protocol.Raw) (protocol.Raw, error) {
	var buf bytes.Buffer
	buf.Grow(len(value) + len(value)/2)
	_, err := msgp.UnmarshalAsJSON(&buf, value)
	return buf.Bytes(), err
}
