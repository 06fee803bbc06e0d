//go:build unix && !aix && !solaris

package revocation

import (
	"os"
	"syscall"
)

// lock keeps other processes from locking the same file, until it is closed.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
