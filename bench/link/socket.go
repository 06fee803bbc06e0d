package link

import (
	"net"
	"syscall"
)

// socket is an end of a connection. Nagle's algorithm is off at all of them, which
// is Go's default: nothing waits for more.
//
// read is for one goroutine, tryWrite for another.
type socket struct {
	tcp *net.TCPConn
	raw syscall.RawConn
	in  reading // read's
	out writing // tryWrite's
}

func newSocket(tcp *net.TCPConn) (*socket, error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &socket{tcp: tcp, raw: raw}
	s.prepare()
	return s, nil
}

// write blocks until all is written.
func (s *socket) write(b []byte) error {
	_, err := s.tcp.Write(b)
	return err
}

// closeWrite tells the other end that nothing more comes.
func (s *socket) closeWrite() {
	_ = s.tcp.CloseWrite() // that it is gone is for who reads from it to say
}
