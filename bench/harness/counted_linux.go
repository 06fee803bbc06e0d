package harness

import (
	"net"

	"golang.org/x/sys/unix"
)

// carried is how many bytes a connection has sent and received; false: it is closed.
func carried(conn *net.TCPConn) (bytes int64, ok bool) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, false
	}
	err = raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil {
			// Not what was acknowledged, as that comes up to 40 ms late.
			bytes = int64(info.Bytes_sent - info.Bytes_retrans + info.Bytes_received)
		}
	})
	return bytes, err == nil
}
