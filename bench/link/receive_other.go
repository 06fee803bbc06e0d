//go:build unix && !linux

package link

import (
	"time"

	"golang.org/x/sys/unix"
)

type control struct{}

func stampArrivals(int) {}

// receive reads what is there. How long it has been there is not known.
func receive(fd int, b []byte, _ *control) (n int, waited time.Duration, err error) {
	n, err = again(unix.Read, fd, b)
	return n, 0, err
}
