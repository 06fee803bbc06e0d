package rsocket

import (
	"fmt"
	"io"
)

const (
	readBufferMin = 4 << 10
	readBufferMax = 64 << 10 // what a busy connection reads at once
)

// reader cuts a byte stream into frames. It belongs to the read loop.
type reader struct {
	src      io.Reader
	maxFrame int
	buf      []byte
	r, w     int // buf[r:w] has arrived and was not handed out
	reads    int // how often src gave bytes
}

// errFrameTooLong is a length prefix above the limit: the stream can't be followed any further.
type errFrameTooLong struct{ size, limit int }

func (e errFrameTooLong) Error() string {
	return fmt.Sprintf("a frame of %d bytes is announced, at most %d are taken", e.size, e.limit)
}

// next returns the next frame without its length prefix: a view that is valid
// until the next call.
func (r *reader) next() ([]byte, error) {
	const prefix = 3
	for {
		have := r.w - r.r
		if have >= prefix {
			b := r.buf[r.r:]
			size := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
			if size > r.maxFrame {
				return nil, errFrameTooLong{size, r.maxFrame}
			}
			if have >= prefix+size {
				f := b[prefix : prefix+size : prefix+size]
				r.r += prefix + size
				return f, nil
			}
		}
		if err := r.fill(); err != nil {
			if err == io.EOF && have > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}

// fill reads once, after making room. The buffer doubles only when it is full,
// so that what it takes follows what arrived and not what was announced.
func (r *reader) fill() error {
	switch {
	case r.r == r.w:
		r.r, r.w = 0, 0
		if len(r.buf) > readBufferMax {
			r.buf = nil // a large frame has passed
		}
	case r.r > 0:
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	}
	if r.w == len(r.buf) {
		grown := make([]byte, max(readBufferMin, 2*len(r.buf)))
		copy(grown, r.buf[:r.w])
		r.buf = grown
	}
	n, err := r.src.Read(r.buf[r.w:])
	r.w += n
	if n > 0 {
		r.reads++
		if r.w == len(r.buf) && r.w < readBufferMax {
			r.grow() // the peer sends faster than this is emptied
		}
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

func (r *reader) grow() {
	grown := make([]byte, 2*len(r.buf))
	copy(grown, r.buf[:r.w])
	r.buf = grown
}
