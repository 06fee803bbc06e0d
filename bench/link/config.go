package link

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// Config says where a link goes, and how long that takes.
type Config struct {
	// To has the targets, HOST:PORT, at least one.
	To []string
	// OneWay is what every byte takes in each direction: more than 0, at most 10 s.
	OneWay time.Duration
	// Hold is how many bytes the link takes in from each end of a connection before
	// the other end has taken them; then the sender waits. Small pieces count as 2 KiB.
	// 0 is 8 MiB, the least is 64 KiB; what is too little for the delay bounds the rate.
	Hold int
}

const (
	longest     = 10 * time.Second
	defaultHold = 8 << 20
)

// checked returns the configuration with its defaults, or what is wrong with it.
func (c Config) checked() (Config, error) {
	if len(c.To) == 0 {
		return c, errors.New("a link to nowhere: expected at least one target, HOST:PORT")
	}
	for _, to := range c.To {
		if _, _, err := net.SplitHostPort(to); err != nil {
			return c, fmt.Errorf("target %q: expected HOST:PORT", to)
		}
	}
	if c.OneWay <= 0 || c.OneWay > longest {
		return c, fmt.Errorf("%v one way: expected more than 0 and at most %v", c.OneWay, longest)
	}
	if c.Hold == 0 {
		c.Hold = defaultHold
	}
	if c.Hold < large {
		return c, fmt.Errorf("%d bytes held: expected at least %d", c.Hold, large)
	}
	return c, nil
}
