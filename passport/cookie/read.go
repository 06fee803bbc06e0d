package cookie

import (
	"net/http"
	"strings"
	"time"
)

// What is looked at of a request's cookies, which the device decides.
const (
	maxLooked  = 32 << 10 // bytes
	maxCookies = 256
	maxTried   = 4 // cookies of the jar's name
)

// Read returns the cookie of a request: the first good one if there are several
// of the jar's name, the error of the first one if none is good. Only the first
// 32 KiB and the first 256 of a request's cookies are looked at, and of those the
// first four of the name.
func (j *Jar) Read(r *http.Request, now time.Time) (Cookie, error) {
	failed := ErrMissing
	looked, cookies, tried := 0, 0, 0
	for _, line := range r.Header["Cookie"] {
		if looked >= maxLooked {
			break
		}
		if left := maxLooked - looked; len(line) > left {
			// What is cut in two is passed over.
			line = line[:strings.LastIndexByte(line[:left], ';')+1]
			looked = maxLooked
		}
		looked += len(line) + 1 // an empty line takes time too
		for ; line != "" && cookies < maxCookies; cookies++ {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			name, value, ok := strings.Cut(pair, "=")
			if !ok || strings.TrimSpace(name) != j.name {
				continue
			}
			c, err := j.Open(strings.TrimSpace(value), now)
			if err == nil {
				return c, nil
			}
			if tried++; tried == 1 {
				failed = err
			}
			if tried == maxTried {
				return Cookie{}, failed
			}
		}
	}
	return Cookie{}, failed
}
