package job

import (
	"fmt"
	"slices"
	"time"

	"warmline.dev/bench/job/contender"
)

// Modes.
const (
	Closed = "closed" // so many jobs under way at any time
	Open   = "open"   // so many jobs begun a second
)

// Config is what is measured. It has no defaults: they are the command's.
type Config struct {
	Contenders  []string
	RTT         []time.Duration // between adapter and edge
	Modes       []string
	Concurrency int // of the closed loop

	// Rate of the open loop, jobs a second. 0: [Share] of what [Reference] does in a
	// closed loop without a round-trip time, measured before the first round; half as
	// much where there is a link, which needs processors too.
	Rate float64

	Rounds   int
	Duration time.Duration // of one measurement
	WarmUp   time.Duration // before it, not counted
}

// Reference is the contender whose throughput makes the rate, and Share of it.
const (
	Reference = "http1"
	Share     = 0.8
)

// Limits of a [Config].
const (
	MaxConcurrency = 1000
	MaxRTT         = time.Second
)

// Check says what is wrong with it, nil if nothing is.
func (c Config) Check() error {
	for _, name := range c.Contenders {
		if _, err := contender.Find(name); err != nil {
			return err
		}
	}
	for _, rtt := range c.RTT {
		if rtt < 0 || rtt > MaxRTT {
			return fmt.Errorf("round-trip time %v: expected 0 to %v", rtt, MaxRTT)
		}
	}
	for _, m := range c.Modes {
		if m != Closed && m != Open {
			return fmt.Errorf("mode %q: expected %s or %s", m, Closed, Open)
		}
	}
	switch {
	case len(c.Contenders) == 0 || len(c.RTT) == 0 || len(c.Modes) == 0:
		return fmt.Errorf("nothing to measure: expected at least one contender, round-trip time and mode")
	case c.Concurrency < 1 || c.Concurrency > MaxConcurrency:
		return fmt.Errorf("concurrency %d: expected 1 to %d", c.Concurrency, MaxConcurrency)
	case c.Rate < 0 || c.Rate > 1e6:
		return fmt.Errorf("rate %g: expected 0 (measured) to 1000000 jobs a second", c.Rate)
	case c.Rounds < 1 || c.Duration <= 0 || c.WarmUp < 0:
		return fmt.Errorf("%d rounds of %v after %v: expected at least one round, and a duration", c.Rounds, c.Duration, c.WarmUp)
	}
	return nil
}

// cell is one row of the table.
type cell struct {
	contender string
	rtt       time.Duration
	mode      string
}

// names are the contenders, once each, in the order of the tables.
func (c Config) names() []string {
	return slices.DeleteFunc(contender.Names(), func(name string) bool { return !slices.Contains(c.Contenders, name) })
}

// cells are the rows, in the order of the table.
func (c Config) cells() (cells []cell) {
	for _, rtt := range c.RTT {
		for _, mode := range c.Modes {
			for _, name := range c.names() {
				cells = append(cells, cell{name, rtt, mode})
			}
		}
	}
	return cells
}
