package sample

import (
	"fmt"
	"sync"
	"time"
)

// Mode is how a service meets a request. The zero value is [ModeOK].
type Mode string

const (
	// ModeOK answers.
	ModeOK Mode = "ok"

	// ModeFail answers 503 with a JSON error, after the latency.
	ModeFail Mode = "fail"

	// ModeHang reads the request and answers nothing until the client goes away,
	// the mode changes (then as the new mode says) or the service closes (then
	// 503, where the connection still allows it).
	ModeHang Mode = "hang"

	// ModeHalf answers the first request since the mode was set and fails the
	// second, as [ModeFail] does, and so on.
	ModeHalf Mode = "half"

	// ModeGarbage answers 200 with bytes that are not the JSON they are said to be.
	ModeGarbage Mode = "garbage"

	// ModeHuge answers 200 with 10 MiB of JSON, in chunks of unknown number.
	ModeHuge Mode = "huge"
)

// Behaviour is what [Services.Set] sets. The zero value is [ModeOK] with the
// latency left as it is.
type Behaviour struct {
	// Mode is the new mode. Default [ModeOK].
	Mode Mode

	// Latency is the new median time to an answer, at most 1 minute. 0: as it is;
	// negative: none.
	Latency time.Duration
}

func (m Mode) orDefault() Mode {
	if m == "" {
		return ModeOK
	}
	return m
}

func checkMode(m Mode) error {
	switch m {
	case ModeOK, ModeFail, ModeHang, ModeHalf, ModeGarbage, ModeHuge:
		return nil
	}
	return fmt.Errorf("mode %q: expected ok, fail, hang, half, garbage or huge", clip(string(m)))
}

// current is the behaviour of one service now. Safe for concurrent use.
type current struct {
	mu      sync.Mutex
	mode    Mode
	latency time.Duration // 0: none
	changed chan struct{} // closed and replaced at every change
	odd     bool          // an odd number of requests met ModeHalf
}

func newCurrent(latency time.Duration) *current {
	return &current{mode: ModeOK, latency: latency, changed: make(chan struct{})}
}

// get returns the behaviour and a channel that closes when it is no longer so.
func (c *current) get() (Mode, time.Duration, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mode, c.latency, c.changed
}

// second reports whether a request that meets [ModeHalf] is one to fail.
func (c *current) second() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.odd = !c.odd
	return !c.odd
}

// set changes what is not nil, both at once, and wakes whoever waits for a
// change. The values must have been checked; a latency below 0 is none.
func (c *current) set(mode *Mode, latency *time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if mode != nil {
		c.mode, c.odd = *mode, false
	}
	if latency != nil {
		c.latency = max(*latency, 0)
	}
	close(c.changed)
	c.changed = make(chan struct{})
}
