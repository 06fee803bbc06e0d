package link

import "sync"

// buffer is a piece of a connection's bytes on its way.
type buffer struct {
	left  []byte // what has yet to be written
	space []byte // where it is, all of it
}

// Pieces are read into a large buffer; one that fits into a small one moves there,
// so that many small pieces hold little.
const (
	large = 64 << 10
	small = 2 << 10
)

var (
	larges = sync.Pool{New: func() any { return &buffer{space: make([]byte, large)} }}
	smalls = sync.Pool{New: func() any { return &buffer{space: make([]byte, small)} }}
)

func newBuffer() *buffer { return larges.Get().(*buffer) }

// fitted returns the buffer that holds the n bytes that were read into b.
func (b *buffer) fitted(n int) *buffer {
	b.left = b.space[:n]
	if n > small {
		return b
	}
	s := smalls.Get().(*buffer)
	s.left = s.space[:copy(s.space, b.left)]
	b.free()
	return s
}

func (b *buffer) free() {
	b.left = nil
	if len(b.space) == small {
		smalls.Put(b)
	} else {
		larges.Put(b)
	}
}
