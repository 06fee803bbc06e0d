package link

import (
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"
)

// control is where the system says when something has arrived.
type control [64]byte

// stampArrivals has the system note when bytes arrive. A goroutine is woken some ten
// microseconds later, and a delay that began there would be as much longer.
func stampArrivals(fd int) {
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, 1) // fails before Linux 5.1
}

// receive reads what is there, and says how long the last of it has been there; 0
// if the system doesn't say.
func receive(fd int, b []byte, c *control) (n int, waited time.Duration, err error) {
	for {
		var said int
		n, said, _, _, err = unix.Recvmsg(fd, b, c[:], 0)
		if err == unix.EINTR {
			continue
		}
		if n > 0 && said > 0 {
			waited = c.waited(said)
		}
		return n, waited, err
	}
}

func (c *control) waited(said int) time.Duration {
	header, data, _, err := unix.ParseOneSocketControlMessage(c[:said])
	if err != nil || header.Level != unix.SOL_SOCKET || header.Type != unix.SO_TIMESTAMPNS_NEW || len(data) < 16 {
		return 0
	}
	seconds, nanos := binary.NativeEndian.Uint64(data), binary.NativeEndian.Uint64(data[8:])
	return time.Since(time.Unix(int64(seconds), int64(nanos)))
}
