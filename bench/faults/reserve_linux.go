package faults

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// reserve returns addresses at which edges may listen, again and again, until they
// are released. Nobody else is given their ports meanwhile: a socket has each, which
// does not listen, so that others that say they reuse it may, as Go's listeners do.
func reserve(n int) (addresses []string, release func(), err error) {
	var sockets []int
	release = func() {
		for _, fd := range sockets {
			_ = unix.Close(fd) // nothing was written
		}
	}
	defer func() {
		if err != nil {
			release()
		}
	}()
	for range n {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return nil, nil, fmt.Errorf("socket: %w", err)
		}
		sockets = append(sockets, fd)
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			return nil, nil, fmt.Errorf("reuse of a port: %w", err)
		}
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			return nil, nil, fmt.Errorf("bind: %w", err)
		}
		a, err := unix.Getsockname(fd)
		if err != nil {
			return nil, nil, fmt.Errorf("address of a socket: %w", err)
		}
		at := a.(*unix.SockaddrInet4) // it was bound to one
		addresses = append(addresses, (&net.TCPAddr{IP: at.Addr[:], Port: at.Port}).String())
	}
	return addresses, release, nil
}
