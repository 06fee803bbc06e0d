package edge

import (
	"os"
	"runtime/debug"

	"warmline.dev/edgelayer/declare"
)

// reserve is what the process needs besides its caches, in bytes.
const reserve = 64 << 20

// limitMemory has the garbage collected before it doubles what the caches take: the
// bytes that are declared are about the bytes of the process. Who sets GOMEMLIMIT
// knows better.
func limitMemory(t *declare.Tier) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	var declared int64
	for _, c := range t.Caches() {
		declared += c.Stats().Most
	}
	debug.SetMemoryLimit(declared + declared/20 + reserve)
}
