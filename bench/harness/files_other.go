//go:build !unix

package harness

import "math"

// MaxFiles is how many files, connections among them, a process may have open.
func MaxFiles() int64 { return math.MaxInt64 }
