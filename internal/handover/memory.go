package handover

import (
	"time"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/protocol"
)

// Memory is one of an edge's warm caches.
type Memory struct {
	// Name is the same at every edge: "catalogue.film".
	Name string
	// Shape is the same where keys and values mean the same: only then they are
	// handed over.
	Shape string
	Cache *warm.Cache[protocol.Raw]
}

// Entry is a value of a cache on its way from one edge to another.
type Entry struct {
	Key   string `json:"key"`
	Value []byte `json:"value"`
	Age   int64  `json:"age"` // since it was loaded, milliseconds
}

// Part is some entries of one cache.
type Part struct {
	Cache   string  `json:"cache"`
	Shape   string  `json:"shape"`
	Entries []Entry `json:"entries"`
	// Since is a moment of who is to take it, before which the entries were not looked
	// at: they may have changed since.
	Since string `json:"since,omitempty"`
}

// A part is some partSize bytes, or one value that is more; what is larger than
// maxValue is not handed over, and not more than maxEntries in one part.
const (
	partSize   = 128 << 10
	maxValue   = 512 << 10
	maxEntries = 1000
)

// oldest is an age, in milliseconds, beyond which it makes no difference: no value is
// fresh for so long.
const oldest = int64(365 * 24 * time.Hour / time.Millisecond)

// parts yields what is hottest in each cache, in at most so many bytes each, in
// turns, so that a time that is too short is too short for all.
func parts(memories []Memory, most int64, yield func(Part) error) error {
	type rest struct {
		Memory
		entries []warm.Entry[protocol.Raw]
	}
	left := make([]rest, 0, len(memories))
	for _, m := range memories {
		left = append(left, rest{m, m.Cache.Hottest(most)})
	}
	for more := true; more; {
		more = false
		for i := range left {
			r := &left[i]
			if len(r.entries) == 0 {
				continue
			}
			p := Part{Cache: r.Name, Shape: r.Shape}
			for size := 0; len(r.entries) > 0 && len(p.Entries) < maxEntries; r.entries = r.entries[1:] {
				e := r.entries[0]
				if len(e.Value) > maxValue {
					continue
				}
				if size += len(e.Key) + len(e.Value); size > partSize && len(p.Entries) > 0 {
					break
				}
				p.Entries = append(p.Entries, Entry{e.Key, e.Value, e.Age.Milliseconds()})
			}
			if err := yield(p); err != nil {
				return err
			}
			more = true
		}
	}
	return nil
}

// take keeps what a part brings, which was as old as it says at that time or later.
func take(memories []Memory, p Part, at time.Time) (taken int) {
	for _, m := range memories {
		if m.Name != p.Cache || m.Shape != p.Shape {
			continue
		}
		for _, e := range p.Entries {
			if protocol.DefaultLimits.Check(e.Value) != nil {
				continue // no value at all
			}
			value := append(protocol.Raw(nil), e.Value...) // of its own, not a piece of the part
			age := time.Duration(min(e.Age, oldest)+1) * time.Millisecond
			if m.Cache.Take(warm.Entry[protocol.Raw]{Key: e.Key, Value: value, Age: age}, at) {
				taken++
			}
		}
	}
	return taken
}
