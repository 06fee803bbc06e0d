package cookie

import (
	"time"

	"github.com/tinylib/msgp/msgp"

	"warmline.dev/passport"
)

// parser reads msgpack that was walked before, and notes the first thing that is
// not as expected; what is read after that is zero.
type parser struct {
	rest   []byte
	all    string // the same bytes from the start on, for texts to be parts of
	failed bool
}

// read takes what one of msgp's functions has read.
func read[T any](p *parser, v T, rest []byte, err error) T {
	if err != nil || p.failed {
		var zero T
		p.failed = true
		return zero
	}
	p.rest = rest
	return v
}

func (p *parser) mapHeader() uint32 {
	n, rest, err := msgp.ReadMapHeaderBytes(p.rest)
	return read(p, n, rest, err)
}

func (p *parser) uint() uint64 {
	n, rest, err := msgp.ReadUint64Bytes(p.rest)
	return read(p, n, rest, err)
}

func (p *parser) level() passport.Level {
	n, rest, err := msgp.ReadUint8Bytes(p.rest)
	return passport.Level(read(p, n, rest, err))
}

func (p *parser) time() time.Time {
	ms, rest, err := msgp.ReadInt64Bytes(p.rest)
	return time.UnixMilli(read(p, ms, rest, err)).UTC()
}

// text is a part of all, so that all texts together are one allocation.
func (p *parser) text() string {
	b, rest, err := msgp.ReadStringZC(p.rest)
	if b = read(p, b, rest, err); p.failed {
		return ""
	}
	end := len(p.all) - len(p.rest)
	return p.all[end-len(b) : end]
}

// exactly fills dst.
func (p *parser) exactly(dst []byte) {
	b, rest, err := msgp.ReadBytesZC(p.rest)
	if b = read(p, b, rest, err); len(b) != len(dst) {
		p.failed = true
		return
	}
	copy(dst, b)
}

func (p *parser) preferences() map[string]string {
	n := p.mapHeader() // not more than there are bytes: it was walked
	m := make(map[string]string, n)
	for range n {
		name := p.text()
		m[name] = p.text()
	}
	return m
}

func (p *parser) references() map[string]passport.Reference {
	n := p.mapHeader()
	m := make(map[string]passport.Reference, min(n, 64))
	for range n {
		name := p.text()
		var sum passport.Reference
		p.exactly(sum[:])
		m[name] = sum
	}
	return m
}

func (p *parser) skip() {
	rest, err := msgp.Skip(p.rest)
	read(p, struct{}{}, rest, err)
}
