package rsocketgo

import (
	"fmt"

	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// longestFrame is where rsocket-go would begin to cut payloads into fragments,
// which it gets wrong: the first fragment of a reply says that it is the last.
const longestFrame = frame.MaxSize - 3

// refused are the fields of a Config that this carrier has no way to honour.
var refused = []struct {
	field string
	set   func(*rsocket.Config) bool
	why   string
}{
	{"Fragment", func(c *rsocket.Config) bool { return c.Fragment != 0 }, "rsocket-go marks the first fragment of a reply as the last, so payloads are sent whole"},
	{"MaxUnwritten", func(c *rsocket.Config) bool { return c.MaxUnwritten != 0 }, fmt.Sprintf("rsocket-go's queue counts frames, not bytes; at most %d of them wait", roomInQueue)},
	{"LeaseRequests", func(c *rsocket.Config) bool { return c.LeaseRequests != 0 }, "leases are not carried"},
	{"Leases", func(c *rsocket.Config) bool { return c.Leases != nil }, "leases are not carried"},
	{"LeaseTTL", func(c *rsocket.Config) bool { return c.LeaseTTL != 0 }, "leases are not carried"},
	{"ResumeFor", func(c *rsocket.Config) bool { return c.ResumeFor != 0 }, "rsocket-go keeps no frames to send again"},
	{"MaxRetained", func(c *rsocket.Config) bool { return c.MaxRetained != 0 }, "rsocket-go keeps no frames to send again"},
}

// withDefaults is [rsocket.Config.WithDefaults], less what is refused.
func withDefaults(c rsocket.Config) (rsocket.Config, error) {
	for _, r := range refused {
		if r.set(&c) {
			return c, fmt.Errorf("rsocketgo: %s is set and can't be honoured: %s", r.field, r.why)
		}
	}
	return c.WithDefaults()
}
