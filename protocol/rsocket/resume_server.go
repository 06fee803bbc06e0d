package rsocket

import (
	"fmt"

	"warmline.dev/protocol/rsocket/frame"
)

// remember keeps a session for RESUME, unless its token is in use.
func (s *Server) remember(n *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, used := s.sessions[string(n.token)]; used {
		return false
	}
	s.sessions[string(n.token)] = n
	return true
}

// resume hands the carrier of c, on which RESUME has arrived, to the connection
// that it names. C was that carrier's only for the first frame.
func (s *Server) resume(c *Conn, f *frame.Frame) {
	s.mu.Lock()
	n := s.sessions[string(f.Resume.Token)]
	s.mu.Unlock()
	o := offer{nc: c.nc, r: c.r, fd: c.w.fd, resume: *f.Resume}
	o.resume.Token = nil // a view that is soon written over
	if n != nil && n.offer(o) {
		c.moved()
		return
	}
	c.endWith(&Error{Code: frame.CodeRejectedResume, Message: "no connection waits under this token", Conn: true})
	c.takeDown()
}

// moved ends a connection whose carrier is another's now, and leaves that alone.
func (c *Conn) moved() {
	c.mu.Lock()
	c.err = fmt.Errorf("%w: resumed as another", ErrClosed)
	c.mu.Unlock()
	c.over.Store(true)
	c.cancel()
	close(c.done)
	c.ended()
}
