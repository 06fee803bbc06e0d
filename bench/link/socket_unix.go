//go:build unix

package link

import (
	"io"

	"golang.org/x/sys/unix"
)

// Both are made once, so that nothing is allocated for each piece.
type (
	reading struct {
		attempt func(fd uintptr) (done bool)
		b       *buffer
		err     error
	}
	writing struct {
		attempt func(fd uintptr) (done bool)
		b       []byte
		n       int
		err     error
	}
)

func (s *socket) prepare() {
	s.in.attempt = func(fd uintptr) bool {
		b := newBuffer() // not before there is something to read: connections that are quiet hold none
		n, err := again(unix.Read, int(fd), b.space)
		switch {
		case n > 0:
			s.in.b = b.fitted(n)
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

// read waits for bytes; they are the caller's. At their end the error is io.EOF.
func (s *socket) read() (*buffer, error) {
	s.in.b, s.in.err = nil, nil
	if err := s.raw.Read(s.in.attempt); err != nil {
		return nil, err
	}
	return s.in.b, s.in.err
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
