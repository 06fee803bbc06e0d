package declare

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/tinylib/msgp/msgp"

	"warmline.dev/protocol"
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
	t := transcoder{dec: json.NewDecoder(bytes.NewReader(text)), out: make([]byte, 0, len(text))}
	t.dec.UseNumber()
	if err := t.value(0); err != nil {
		return nil, t.at(err)
	}
	if _, err := t.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, t.at(errors.New("more than one value"))
	}
	return t.out, nil
}

type transcoder struct {
	dec    *json.Decoder
	out    []byte
	values int
}

// at says where it went wrong.
func (t *transcoder) at(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("JSON, byte %d: %w", t.dec.InputOffset(), err)
}

func (t *transcoder) value(depth int) error {
	token, err := t.dec.Token()
	if err != nil {
		return err
	}
	return t.token(token, depth)
}

func (t *transcoder) token(token json.Token, depth int) error {
	if t.values++; t.values > maxValues {
		return fmt.Errorf("more than %d values", maxValues)
	}
	switch v := token.(type) {
	case string:
		t.out = msgp.AppendString(t.out, v)
	case json.Number:
		return t.number(string(v))
	case bool:
		t.out = msgp.AppendBool(t.out, v)
	case nil:
		t.out = msgp.AppendNil(t.out)
	case json.Delim:
		if depth == maxValueDepth {
			return fmt.Errorf("deeper than %d", maxValueDepth)
		}
		if v == '{' {
			return t.object(depth + 1)
		}
		return t.array(depth + 1)
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
		return fmt.Errorf("the number %s: %w", clip(s), strconv.ErrRange)
	}
	t.out = msgp.AppendFloat64(t.out, v)
	return nil
}

func (t *transcoder) array(depth int) error {
	start := len(t.out)
	t.out = append(t.out, 0) // the header, of the size that most have
	n := 0
	for t.dec.More() {
		if err := t.value(depth); err != nil {
			return err
		}
		n++
	}
	t.head(start, n, msgp.AppendArrayHeader)
	_, err := t.dec.Token() // the end
	return err
}

func (t *transcoder) object(depth int) error {
	start := len(t.out)
	t.out = append(t.out, 0)
	var few [16]string
	names := few[:0]
	var many map[string]struct{} // names, once there are more than a few
	n := 0
	for t.dec.More() {
		token, err := t.dec.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string) // the decoder gives nothing else there
		twice := false
		if many == nil {
			for _, other := range names {
				twice = twice || other == name
			}
			if len(names) == len(few) {
				many = make(map[string]struct{}, 2*len(few))
				for _, other := range names {
					many[other] = struct{}{}
				}
			}
		}
		if many != nil {
			_, again := many[name]
			twice = twice || again
			many[name] = struct{}{}
		} else {
			names = append(names, name)
		}
		if twice {
			return fmt.Errorf("the name %q twice", clip(name))
		}
		if err := t.token(name, depth); err != nil {
			return err
		}
		if err := t.value(depth); err != nil {
			return err
		}
		n++
	}
	t.head(start, n, msgp.AppendMapHeader)
	_, err := t.dec.Token()
	return err
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
