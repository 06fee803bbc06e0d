package rsocket

import (
	"io"
	"net"

	"warmline.dev/protocol/internal/carrier"
)

// reader cuts a byte stream into frames. It belongs to the read loop.
type reader struct {
	src      io.Reader
	fd       *descriptor // nil: src is read instead
	maxFrame int
	buf      []byte
	r, w     int // buf[r:w] has arrived and was not handed out
	reads    int // how often bytes came
}

func newReader(nc net.Conn, fd *descriptor, maxFrame int) *reader {
	r := &reader{src: nc, fd: fd, maxFrame: maxFrame}
	if fd != nil {
		fd.room = r.room
	}
	return r
}

const prefixSize = 3

// next returns the next frame without its length prefix: a view that is valid
// until the next call.
func (r *reader) next() ([]byte, error) {
	for {
		have := r.w - r.r
		if have >= prefixSize {
			b := r.buf[r.r:]
			size := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
			if size > r.maxFrame {
				return nil, carrier.FrameTooLong{Size: size, Limit: r.maxFrame}
			}
			if have >= prefixSize+size {
				f := b[prefixSize : prefixSize+size : prefixSize+size]
				r.r += prefixSize + size
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

// whole reports whether next has a frame, or an error, without a read.
func (r *reader) whole() bool {
	have := r.w - r.r
	if have < prefixSize {
		return false
	}
	b := r.buf[r.r:]
	size := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
	return have >= prefixSize+size || size > r.maxFrame
}

// fill reads once, after making room. The buffer doubles only when it is full,
// so that what it takes follows what arrived and not what was announced.
func (r *reader) fill() error {
	switch {
	case r.r == r.w:
		r.r, r.w = 0, 0
		if len(r.buf) > mediumBuffer {
			r.release() // a large frame has passed
		}
	case r.r > 0:
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	}
	var n int
	var err error
	if r.fd != nil {
		n, err = r.fd.readSome()
	} else {
		n, err = r.src.Read(r.room(false))
	}
	r.w += n
	if n > 0 {
		r.reads++
		if r.w == len(r.buf) && r.w < mediumBuffer {
			r.resize(2 * len(r.buf)) // the peer sends faster than this is emptied
		}
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// room is where to read into. While waiting for a socket only what has arrived
// is held: a connection that says nothing, or little by little, holds little.
func (r *reader) room(waiting bool) []byte {
	switch {
	case waiting && r.w == 0:
		r.release()
	case waiting && r.w < smallBuffer/2 && len(r.buf) > smallBuffer:
		r.resize(smallBuffer)
	case waiting:
	case r.buf == nil && r.fd != nil:
		r.buf = getBuffer(mediumBuffer)
	case r.w == len(r.buf):
		r.resize(max(smallBuffer, 2*len(r.buf)))
	}
	return r.buf[r.w:]
}

func (r *reader) resize(size int) {
	b := getBuffer(size)
	copy(b, r.buf[:r.w])
	putBuffer(r.buf)
	r.buf = b
}

// release gives the buffer back; frames handed out are no longer valid.
func (r *reader) release() {
	putBuffer(r.buf)
	r.buf, r.r, r.w = nil, 0, 0
}
