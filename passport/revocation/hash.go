package revocation

import (
	"math"
	"time"

	"github.com/cespare/xxhash/v2"
)

// everyone is the hash that stands for every id: an entry with it counts against
// all cookies issued before it. What is too much to be held is kept as one.
const everyone = 0

// Hash is what stands for an id, a customer's or a session's text, everywhere in
// this package: XXH64 with the seed 0, so that all processes agree; an id whose
// hash is 0 has 1. Two ids with the same hash share their entries, which costs
// their owners a question to the account source and lets nothing pass.
func Hash(id string) uint64 {
	if h := xxhash.Sum64String(id); h != everyone {
		return h
	}
	return 1
}

// entry says that the account behind an id changed.
type entry struct {
	id uint64
	at uint32 // seconds since 1970
}

// seconds are whole ones, as are those of a cookie's issue: who is issued before an
// entry has no later second.
func seconds(t time.Time) uint32 { return uint32(min(max(t.Unix(), 0), math.MaxUint32)) }

// wholeSeconds is a duration in seconds, rounded up.
func wholeSeconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
