//go:build unix

package harness

import (
	"math"

	"golang.org/x/sys/unix"
)

// MaxFiles is how many files, connections among them, a process may have open: the
// hard limit, as Go raises the soft one by itself.
func MaxFiles() int64 {
	var r unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &r) != nil {
		return math.MaxInt64
	}
	return int64(min(uint64(r.Max), math.MaxInt64))
}
