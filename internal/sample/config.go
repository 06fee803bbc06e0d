package sample

import (
	"fmt"
	"time"
)

const (
	defaultHost    = "127.0.0.1"
	defaultLatency = 4 * time.Millisecond

	// maxLatency keeps a slip of the unit ("20m" for "20ms") from looking like a
	// service that hangs.
	maxLatency = time.Minute
)

// Config says where the services listen and how fast they answer. The zero value
// is ready to use: the loopback interface, free ports, 4 ms. It is copied when
// it is used.
type Config struct {
	// Host is the address or name that all listen on. Default 127.0.0.1.
	Host string

	// BasePort is the port of the first service; the others follow it in the
	// order of [Names]. Default: a free port for each.
	BasePort int

	// Latency is the median time to an answer. Default 4 ms, at most 1 minute;
	// negative: none.
	Latency time.Duration

	// OnAccount is told when an account has changed, before the one who changed it
	// has an answer. It may be called by several goroutines at once, and for one
	// account in another order than [Event.At]; an answer waits for it. Default:
	// nobody.
	OnAccount func(Event)
}

// withDefaults returns a copy with every zero replaced, or what is wrong with it.
func (c Config) withDefaults() (Config, error) {
	if c.Host == "" {
		c.Host = defaultHost
	}
	if last := 65535 - len(Names()) + 1; c.BasePort < 0 || c.BasePort > last {
		return c, fmt.Errorf("sample: BasePort is %d, expected 0 (free ports) to %d", c.BasePort, last)
	}
	if c.Latency == 0 {
		c.Latency = defaultLatency
	}
	if err := checkLatency(c.Latency); err != nil {
		return c, fmt.Errorf("sample: %w", err)
	}
	c.Latency = max(c.Latency, 0)
	if c.OnAccount == nil {
		c.OnAccount = func(Event) {}
	}
	return c, nil
}

// port returns the port for the i-th service of [Names].
func (c Config) port(i int) int {
	if c.BasePort == 0 {
		return 0
	}
	return c.BasePort + i
}

func checkLatency(d time.Duration) error {
	if d > maxLatency {
		return fmt.Errorf("latency %s: expected at most %s", d, maxLatency)
	}
	return nil
}
