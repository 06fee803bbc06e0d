package passport

import (
	"maps"
	"slices"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// fields is how many the body of what was minted has.
const fields = 12

// appendBody appends the body of what is minted.
func appendBody(b []byte, p *Passport) []byte {
	b = msgp.AppendArrayHeader(b, fields)
	for _, t := range p.texts() {
		b = msgp.AppendString(b, *t.at)
	}
	b = msgp.AppendUint8(b, uint8(p.Level))
	b = msgp.AppendMapHeader(b, uint32(len(p.Preferences)))
	for _, name := range sorted(p.Preferences) {
		b = msgp.AppendString(msgp.AppendString(b, name), p.Preferences[name])
	}
	b = msgp.AppendMapHeader(b, uint32(len(p.References)))
	for _, name := range sorted(p.References) {
		at := p.References[name]
		b = msgp.AppendBytes(msgp.AppendString(b, name), at[:])
	}
	b = msgp.AppendString(b, p.Audience)
	b = msgp.AppendString(b, p.Origin)
	b = msgp.AppendInt64(b, p.Issued.UnixMilli())
	return msgp.AppendInt64(b, p.Expires.UnixMilli())
}

func sorted[V any](m map[string]V) []string {
	if len(m) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(m))
}

// body reads what follows one another in a link's body. The first thing that is
// not as it should be is the end: all that follows is empty.
type body struct {
	text string // all of it, for texts to be parts of: one allocation for all
	left []byte
	bad  bool
}

func newBody(b []byte) body { return body{text: string(b), left: b} }

func (b *body) fail() {
	b.bad, b.left = true, nil
}

// array reads the header of an array of n.
func (b *body) array(n uint32) {
	got, rest, err := msgp.ReadArrayHeaderBytes(b.left)
	if b.left = rest; err != nil || got != n {
		b.fail()
	}
}

// entries reads the header of a map.
func (b *body) entries(most uint32) (n uint32) {
	n, rest, err := msgp.ReadMapHeaderBytes(b.left)
	if b.left = rest; err != nil || n > most {
		b.fail()
		return 0
	}
	return n
}

// string reads a text of at most so many bytes.
func (b *body) string(most int) string {
	view, rest, err := msgp.ReadStringZC(b.left)
	if err != nil || len(view) > most {
		b.fail()
		return ""
	}
	b.left = rest
	end := len(b.text) - len(rest)
	return b.text[end-len(view) : end]
}

// name reads the key of an entry, which has to come behind the one before.
func (b *body) name(most int, before *string) string {
	name := b.string(most)
	if name <= *before {
		b.fail()
	}
	*before = name
	return name
}

// bytes reads so many into dst.
func (b *body) bytes(dst []byte) {
	view, rest, err := msgp.ReadBytesZC(b.left)
	if b.left = rest; err != nil || len(view) != len(dst) {
		b.fail()
		return
	}
	copy(dst, view)
}

func (b *body) level() Level {
	n, rest, err := msgp.ReadUint8Bytes(b.left)
	if b.left = rest; err != nil {
		b.fail()
	}
	return Level(n)
}

func (b *body) int() int64 {
	n, rest, err := msgp.ReadInt64Bytes(b.left)
	if b.left = rest; err != nil {
		b.fail()
	}
	return n
}

func (b *body) time() time.Time { return time.UnixMilli(b.int()).UTC() }

// end is an error unless all was as it should be, with nothing behind it.
func (b *body) end() error {
	if b.bad || len(b.left) > 0 {
		return ErrMalformed
	}
	return nil
}

// parseBody reads the body of what was minted.
func parseBody(raw []byte) (Passport, error) {
	var p Passport
	b := newBody(raw)
	b.array(fields)
	for _, t := range p.texts() {
		*t.at = b.string(maxText)
	}
	p.Level = b.level()
	name := ""
	if n := b.entries(maxPreferences); n > 0 {
		p.Preferences = make(map[string]string, n)
		for range n {
			b.name(maxName, &name)
			p.Preferences[name] = b.string(maxPreference)
		}
	}
	name = ""
	if n := b.entries(maxPreferences); n > 0 {
		p.References = make(map[string]Reference, n)
		for range n {
			b.name(maxName, &name)
			var at Reference
			b.bytes(at[:])
			p.References[name] = at
		}
	}
	p.Audience = b.string(maxText)
	p.Origin = b.string(maxText)
	p.Issued = b.time()
	p.Expires = b.time()
	if err := b.end(); err != nil {
		return Passport{}, err
	}
	return p, nil
}
