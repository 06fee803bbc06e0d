package harness

import (
	"runtime"
	"runtime/debug"
)

// Settle gives back to the system what this process does not need any more, so that
// the memory it then holds is that of what it has open.
func Settle() {
	runtime.GC() // what pools keep goes with the second collection
	debug.FreeOSMemory()
}
