//go:build unix

package link

import (
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// Both are made once, so that nothing is allocated for each piece.
type (
	reading struct {
		attempt func(fd uintptr) (done bool)
		b       *buffer
		waited  time.Duration
		err     error
		control control
	}
	writing struct {
		attempt func(fd uintptr) (done bool)
		b       []byte
		n       int
		err     error
	}
)

func (s *socket) prepare() {
	_ = s.raw.Control(func(fd uintptr) { stampArrivals(int(fd)) }) // fails if it is closed
	s.in.attempt = func(fd uintptr) bool {
		b := newBuffer() // not before there is something to read: connections that are quiet hold none
		n, waited, err := receive(int(fd), b.space, &s.in.control)
		switch {
		case n > 0:
			s.in.b, s.in.waited = b.fitted(n), waited
			return true
		case err == unix.EAGAIN:
			b.free()
			return false
		case err == nil:
			err = io.EOF
		}
		b.free()
		s.in.err = err
		return true
	}
	s.out.attempt = func(fd uintptr) bool {
		s.out.n, s.out.err = again(unix.Write, int(fd), s.out.b)
		if s.out.err == unix.EAGAIN {
			s.out.err = nil
		}
		s.out.n = max(s.out.n, 0)
		return true // it is not waited for
	}
}

// again does what a signal has interrupted.
func again(do func(int, []byte) (int, error), fd int, b []byte) (n int, err error) {
	for {
		if n, err = do(fd, b); err != unix.EINTR {
			return n, err
		}
	}
}

// read waits for bytes, which are the caller's, and says how long they have waited
// for being read. At their end the error is io.EOF.
func (s *socket) read() (b *buffer, waited time.Duration, err error) {
	s.in.b, s.in.waited, s.in.err = nil, 0, nil
	if err := s.raw.Read(s.in.attempt); err != nil {
		return nil, 0, err
	}
	return s.in.b, s.in.waited, s.in.err
}

// tryWrite writes as much as can be without waiting.
func (s *socket) tryWrite(b []byte) (n int, err error) {
	s.out.b, s.out.n, s.out.err = b, 0, nil
	if err := s.raw.Write(s.out.attempt); err != nil {
		return 0, err
	}
	s.out.b = nil
	return s.out.n, s.out.err
}
