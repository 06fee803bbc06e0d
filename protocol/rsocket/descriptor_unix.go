//go:build unix

package rsocket

import (
	"io"
	"net"
	"syscall"
)

// descriptor reads and writes a TCP or unix socket by its file descriptor:
// writing takes what the socket has room for and never waits, and waiting for
// something to read needs no buffer.
type descriptor struct {
	rc syscall.RawConn

	// owned by whoever flushes
	out      []byte
	wrote    int
	writeErr error
	write    func(fd uintptr) bool // made once, so that a call allocates nothing

	// owned by the read loop
	room    func(waiting bool) []byte // where to read into; nothing to keep while waiting
	got     int
	readErr error
	read    func(fd uintptr) bool
}

// descriptorOf returns nil for a connection that is no socket itself: TLS, say.
func descriptorOf(nc net.Conn) *descriptor {
	var sc syscall.Conn
	switch nc := nc.(type) {
	case *net.TCPConn:
		sc = nc
	case *net.UnixConn:
		sc = nc
	default:
		return nil
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return nil // closed already: the first read says so
	}
	d := &descriptor{rc: rc}
	d.write, d.read = d.tryWrite, d.tryRead
	return d
}

// writeSome writes what the socket takes at once, perhaps nothing.
func (d *descriptor) writeSome(b []byte) (int, error) {
	d.out, d.wrote, d.writeErr = b, 0, nil
	err := d.rc.Write(d.write)
	d.out = nil
	if err == nil {
		err = d.writeErr
	}
	return d.wrote, err
}

func (d *descriptor) tryWrite(fd uintptr) bool {
	d.wrote, d.writeErr = writeOnce(fd, d.out)
	return true
}

// writeOnce writes what the socket takes at once, perhaps nothing.
func writeOnce(fd uintptr, b []byte) (int, error) {
	for {
		n, err := syscall.Write(int(fd), b)
		switch {
		case err == syscall.EINTR: //nolint:errorlint // a system call returns it bare
			continue
		case err == syscall.EAGAIN: //nolint:errorlint // the same
			return 0, nil
		case err != nil:
			return 0, err
		}
		return n, nil
	}
}

// writeAside writes the next bytes of a and waits until the socket has taken them.
func (d *descriptor) writeAside(a *aside) error {
	const together = 256 << 10
	var wrote int
	var failed error
	err := d.rc.Write(func(fd uintptr) bool {
		for {
			var n int
			n, failed = a.write(together-wrote, func(b []byte) (int, error) { return writeOnce(fd, b) })
			wrote += n
			if failed != nil || wrote == together || !a.left() {
				return true
			}
			if n == 0 {
				return false
			}
		}
	})
	if err == nil {
		err = failed
	}
	return err
}

// readSome waits until there is something to read and reads it into room.
func (d *descriptor) readSome() (n int, err error) {
	d.got, d.readErr = 0, nil
	if err = d.rc.Read(d.read); err == nil {
		err = d.readErr
	}
	return d.got, err
}

func (d *descriptor) tryRead(fd uintptr) bool {
	for {
		n, err := syscall.Read(int(fd), d.room(false))
		switch {
		case err == syscall.EINTR: //nolint:errorlint // a system call returns it bare
			continue
		case err == syscall.EAGAIN: //nolint:errorlint // the same
			d.room(true)
			return false
		case err != nil:
			d.readErr = err
		case n == 0:
			d.readErr = io.EOF
		default:
			d.got = n
		}
		return true
	}
}
