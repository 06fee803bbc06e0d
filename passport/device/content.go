package device

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// maxContent is how many bytes a snapshot or a delta may be when it is inflated.
const maxContent = 4 << 20

// errContent is wrapped by what is wrong with bytes that should be a snapshot or a
// delta.
var errContent = errors.New("not what it should be")

// appendContent writes a table as the package's documentation has it. The same
// table is the same bytes.
func appendContent(b []byte, t *Table) []byte {
	b = msgp.AppendArrayHeader(b, 4)
	b = msgp.AppendUint64(b, t.version)
	b = msgp.AppendInt64(b, t.made.UnixMilli())
	b = msgp.AppendArrayHeader(b, uint32(len(t.prefixes)))
	for row := range t.Rows() {
		b = appendRow(b, row)
	}
	return appendAgents(b, t.agents.rules)
}

func appendRow(b []byte, r Row) []byte {
	b = msgp.AppendArrayHeader(b, 2)
	b = msgp.AppendString(b, r.Prefix)
	return appendType(b, r.Type)
}

func appendType(b []byte, t Type) []byte {
	b = msgp.AppendArrayHeader(b, 4)
	b = msgp.AppendString(b, t.ID)
	b = msgp.AppendUint8(b, uint8(t.Category))
	b = msgp.AppendString(b, t.Brand)
	return msgp.AppendString(b, t.Name)
}

func appendAgents(b []byte, rules []Agent) []byte {
	b = msgp.AppendArrayHeader(b, uint32(len(rules)))
	for _, r := range rules {
		b = msgp.AppendArrayHeader(b, 3)
		for _, list := range [][]string{r.Words, r.Without} {
			b = msgp.AppendArrayHeader(b, uint32(len(list)))
			for _, w := range list {
				b = msgp.AppendString(b, w)
			}
		}
		b = appendType(b, r.Type)
	}
	return b
}

// decodeContent reads what appendContent wrote.
func decodeContent(b []byte) (*Table, error) {
	r := reader{rest: b}
	r.array(4, 4)
	version, made := r.uint(), r.time()
	rows, rules := r.rows(), r.agents()
	if err := r.end(); err != nil {
		return nil, err
	}
	t, err := NewTable(version, made, rows, rules)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errContent, err)
	}
	return t, nil
}

// reader reads msgpack from a peer. Nothing is reserved for what is announced and
// isn't there. After the first thing that is wrong it reads zero values.
type reader struct {
	rest  []byte
	err   error
	texts map[string]string // those that come again and again: brands
}

func (r *reader) fail(expected string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %d bytes before its end: expected %s", errContent, len(r.rest), expected)
	}
	r.rest = nil
}

// array reads the header of an array of so many elements.
func (r *reader) array(least, most int) int {
	n, rest, err := msgp.ReadArrayHeaderBytes(r.rest)
	if err != nil || n < uint32(least) || n > uint32(most) || int64(n) > int64(len(rest)) {
		r.fail(fmt.Sprintf("an array of %d to %d", least, most))
		return 0
	}
	r.rest = rest
	return int(n)
}

func (r *reader) uint() uint64 {
	v, rest, err := msgp.ReadUint64Bytes(r.rest)
	if err != nil {
		r.fail("a number")
		return 0
	}
	r.rest = rest
	return v
}

func (r *reader) time() time.Time {
	ms, rest, err := msgp.ReadInt64Bytes(r.rest)
	if err != nil {
		r.fail("milliseconds since 1970")
		return time.Time{}
	}
	r.rest = rest
	return time.UnixMilli(ms).UTC()
}

// text reads a string; what it must be like, who makes a table of it checks.
func (r *reader) text() []byte {
	s, rest, err := msgp.ReadStringZC(r.rest)
	if err != nil {
		r.fail("text")
		return nil
	}
	r.rest = rest
	return s
}

// bytes reads some of a length; it is a view.
func (r *reader) bytes(least, most int) []byte {
	b, rest, err := msgp.ReadBytesZC(r.rest)
	if err != nil || len(b) < least || len(b) > most {
		r.fail(fmt.Sprintf("%d to %d bytes", least, most))
		return nil
	}
	r.rest = rest
	return b
}

func (r *reader) rows() []Row {
	n := r.array(0, MaxRows)
	rows := make([]Row, 0, n)
	for range n {
		r.array(2, 2)
		row := Row{Prefix: string(r.text()), Type: r.kind()}
		if n := len(rows); r.err == nil && n > 0 && rows[n-1].Prefix >= row.Prefix {
			r.fail("prefixes in order, each once")
		}
		if r.err != nil {
			return nil
		}
		rows = append(rows, row)
	}
	return rows
}

func (r *reader) kind() Type {
	r.array(4, 4)
	t := Type{ID: string(r.text())}
	category := r.uint()
	if category >= uint64(categories) {
		r.fail(fmt.Sprintf("a category of 0 to %d", categories-1))
		category = 0
	}
	t.Category = Category(category)
	t.Brand, t.Name = r.again(r.text()), string(r.text())
	return t
}

// again is for what many rows say alike.
func (r *reader) again(b []byte) string {
	if s, ok := r.texts[string(b)]; ok {
		return s
	}
	if r.texts == nil {
		r.texts = map[string]string{}
	}
	s := string(b)
	r.texts[s] = s
	return s
}

func (r *reader) agents() []Agent {
	var rules []Agent
	for range r.array(0, MaxAgents) {
		r.array(3, 3)
		a := Agent{Words: r.words(), Without: r.words(), Type: r.kind()}
		if r.err != nil {
			return nil
		}
		rules = append(rules, a)
	}
	return rules
}

func (r *reader) words() []string {
	var words []string
	for range r.array(0, MaxAgents) {
		words = append(words, string(r.text()))
	}
	return words
}

// end is what was wrong, or that something follows.
func (r *reader) end() error {
	if r.err == nil && len(r.rest) > 0 {
		r.fail("its end")
	}
	return r.err
}

// deflate makes b small.
func deflate(b []byte) []byte {
	var small bytes.Buffer
	w, err := flate.NewWriter(&small, flate.BestCompression)
	if err == nil {
		if _, err = w.Write(b); err == nil {
			err = w.Close()
		}
	}
	if err != nil {
		panic(err) // a buffer takes everything, and the level is one there is
	}
	return small.Bytes()
}

// inflate undoes deflate, and bounds what comes of it.
func inflate(small []byte) ([]byte, error) {
	in := bytes.NewReader(small)
	out := bytes.NewBuffer(make([]byte, 0, min(16*len(small), maxContent)))
	n, err := io.Copy(out, io.LimitReader(flate.NewReader(in), maxContent+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: not what DEFLATE makes: %w", errContent, err)
	case n > maxContent:
		return nil, fmt.Errorf("%w: more than %d bytes when inflated", errContent, maxContent)
	case in.Len() > 0:
		return nil, fmt.Errorf("%w: %d bytes behind its end", errContent, in.Len())
	}
	return out.Bytes(), nil
}
