package cli

import (
	"testing"
	"time"
)

// A change is held for as long as a cookie from before it may count, however that is said.
func TestChangesAreHeldAsLongAsCookiesCount(t *testing.T) {
	for _, c := range []struct{ trust, honour, want time.Duration }{
		{defaultTrust, defaultHonour, 32 * time.Hour},
		{0, 0, 32 * time.Hour}, // the defaults, to the jar and the door too
		{time.Hour, 0, 25 * time.Hour},
		{0, -1, 8 * time.Hour},
		{-1, time.Hour, time.Hour},
	} {
		if got := (&doorOptions{trust: c.trust, honour: c.honour}).window(); got != c.want {
			t.Errorf("trust %v, honour %v: %v, want %v", c.trust, c.honour, got, c.want)
		}
	}
}
