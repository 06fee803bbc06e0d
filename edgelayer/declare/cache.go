package declare

import (
	"time"

	"go.yaml.in/yaml/v4"
)

// keeping is how long what is read is kept, and how much of it: what warm.Config
// says, by the same rule of zero.
type keeping struct {
	off                          bool
	ttl                          time.Duration
	jitter, refreshAhead         float64
	stale, staleIfError, missing time.Duration
	entries                      int
	bytes                        int64
}

// cache reads the cache of a read. Nothing is the defaults.
func (r *reader) cache(n *yaml.Node) (k keeping) {
	if n == nil {
		return k
	}
	if isOff(n) {
		k.off = true
		return k
	}
	f := r.Fields(n, "cache", orOff)
	defer f.Done()
	if n := f.Get("ttl"); n != nil {
		k.ttl = r.duration(n, "ttl")
	}
	for name, s := range map[string]*float64{"jitter": &k.jitter, "refresh_ahead": &k.refreshAhead} {
		if n := f.Get(name); n != nil {
			if isOff(n) {
				*s = -1
			} else {
				*s = r.share(n, name, false)
			}
		}
	}
	for name, d := range map[string]*time.Duration{"stale": &k.stale, "stale_if_error": &k.staleIfError, "missing": &k.missing} {
		if n := f.Get(name); n != nil {
			if isOff(n) {
				*d = -1
			} else {
				*d = r.duration(n, name)
			}
		}
	}
	if n := f.Get("entries"); n != nil {
		k.entries = r.count(n, "entries", 100_000_000)
	}
	if n := f.Get("bytes"); n != nil {
		k.bytes = r.size(n, "bytes")
	}
	return k
}
