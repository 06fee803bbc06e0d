package rsocketgo

import (
	"fmt"
	"math"
	"time"

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
	{"LeaseTTL", func(c *rsocket.Config) bool { return c.LeaseTTL != 0 }, "leases are not carried"},
	{"ResumeFor", func(c *rsocket.Config) bool { return c.ResumeFor != 0 }, "rsocket-go keeps no frames to send again"},
	{"TLS", func(c *rsocket.Config) bool { return c.TLS != nil }, "tls and wss addresses are not dialled here; make the connection and hand it to Client"},
	{"MaxRetained", func(c *rsocket.Config) bool { return c.MaxRetained != 0 }, "rsocket-go keeps no frames to send again"},
}

// withDefaults returns a copy with every zero replaced, or what is wrong with
// it. The defaults are those of [rsocket.Config].
func withDefaults(c rsocket.Config) (rsocket.Config, error) {
	for _, r := range refused {
		if r.set(&c) {
			return c, fmt.Errorf("rsocketgo: %s is set and can't be honoured: %s", r.field, r.why)
		}
	}
	for _, f := range []struct {
		name       string
		value      *int
		normal     int
		from, upto int
	}{
		{"MaxFrame", &c.MaxFrame, frame.MaxSize, 64, frame.MaxSize},
		{"MaxPayload", &c.MaxPayload, 64 << 20, 1, math.MaxInt},
		{"MaxReassembly", &c.MaxReassembly, 64 << 20, 1, math.MaxInt},
		{"Window", &c.Window, 32, 1, frame.MaxCredit},
		{"MaxUnread", &c.MaxUnread, 64 << 20, 1, math.MaxInt},
		{"MaxConns", &c.MaxConns, 10_000, 1, math.MaxInt},
	} {
		if *f.value == 0 {
			*f.value = f.normal
		}
		if *f.value < f.from || *f.value > f.upto {
			return c, fmt.Errorf("rsocketgo: %s is %d, expected %d to %d", f.name, *f.value, f.from, f.upto)
		}
	}
	if c.MaxStreams == 0 {
		c.MaxStreams = 4096
	}
	c.MaxStreams = max(c.MaxStreams, 0)
	if c.FirstFrameTimeout == 0 {
		c.FirstFrameTimeout = 10 * time.Second
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = 15 * time.Second
	}
	return c, nil
}

// setupDefaults does the same for what a client declares.
func setupDefaults(s rsocket.Setup) (rsocket.Setup, error) {
	if s.KeepAlive == 0 {
		s.KeepAlive = 20 * time.Second
	}
	if s.Lifetime == 0 {
		s.Lifetime = 90 * time.Second
	}
	const longest = frame.MaxCredit * time.Millisecond
	if s.KeepAlive < time.Millisecond || s.KeepAlive > longest || s.Lifetime < s.KeepAlive || s.Lifetime > longest {
		return s, fmt.Errorf("rsocketgo: keepalive %v and lifetime %v: expected 1 ms ≤ keepalive ≤ lifetime ≤ %v", s.KeepAlive, s.Lifetime, longest)
	}
	for _, m := range []*string{&s.MetadataMIME, &s.DataMIME} {
		if *m == "" {
			*m = "application/octet-stream"
		}
		if len(*m) > 255 {
			return s, fmt.Errorf("rsocketgo: MIME type of %d bytes, expected at most 255", len(*m))
		}
	}
	s.Lease, s.Resume = false, false
	return s, nil
}
