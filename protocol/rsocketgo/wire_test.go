package rsocketgo

import (
	"net"
	"testing"
	"time"
)

// deadlined remembers its write deadline.
type deadlined struct {
	net.Conn
	until, atWrite time.Time
}

func (d *deadlined) SetWriteDeadline(t time.Time) error { d.until = t; return nil }
func (d *deadlined) Write(b []byte) (int, error)        { d.atWrite = d.until; return len(b), nil }

// TLS writes by itself when it answers the peer, long after a write of ours.
func TestAWriteLeavesNoDeadlineBehind(t *testing.T) {
	for timeout, bounded := range map[time.Duration]bool{time.Minute: true, -1: false} {
		nc := &deadlined{}
		if n, err := (socket{nc, timeout}).Write([]byte("x")); n != 1 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		if nc.atWrite.IsZero() == bounded || !nc.until.IsZero() {
			t.Errorf("%v: written by %v, then %v", timeout, nc.atWrite, nc.until)
		}
	}
}
