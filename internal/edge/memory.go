package edge

import (
	"os"
	"runtime/debug"

	"warmline.dev/edgelayer/declare"
)

// reserve is what the process has besides its caches, in bytes, or a sixteenth of
// them if that is more: with less, garbage would be collected all the time.
const reserve = 40 << 20

// leastLimit is what is never gone below: a process with small caches has other
// things to do than to collect garbage.
const leastLimit = 128 << 20

// limitMemory has the garbage collected before it doubles what the caches take, so
// that the bytes that are declared are about the bytes of the process; and below
// that less often than usual, as what is declared may be used. Who sets GOMEMLIMIT
// or GOGC knows better.
func limitMemory(t *declare.Tier) {
	if os.Getenv("GOMEMLIMIT") != "" || os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(400)
	var declared int64
	for _, c := range t.Caches() {
		declared += c.Stats().Most
	}
	debug.SetMemoryLimit(max(declared+max(reserve, declared/16), leastLimit))
}
