package declare

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// shapeOf tells apart what is kept under a key: what was asked for, and how the
// answer was taken apart. Values that are kept otherwise have another encoding.
func shapeOf(rd *readDecl) string {
	const encoding = 1 // of keys and values: to be changed with them
	h := sha256.New()
	a := &rd.asks
	fmt.Fprintf(h, "%d %q %q %#v %#v %q %v\n", encoding, rd.full(), a.method, a.target, a.headers, []string(a.vars), rd.types)
	if a.body != nil {
		fmt.Fprintf(h, "%#v\n", *a.body)
	}
	if rd.batch != nil {
		b := *rd.batch
		b.most, b.within, b.repeat = 0, 0, false // they don't change what is under a key
		fmt.Fprintf(h, "%#v\n", b)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
