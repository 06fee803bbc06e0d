package rsocket

import (
	"errors"
	"fmt"
	"io"
	"time"

	"warmline.dev/protocol/internal/carrier"
)

// takeDown is the read loop's last act. It keeps the turn for good.
func (c *Conn) takeDown() {
	const patience = time.Second
	c.w.stop(patience)
	c.mu.Lock()
	fatal := c.fatal
	nc := c.nc
	c.mu.Unlock()
	if fatal {
		carrier.Linger(nc, patience)
	}
	_ = nc.Close() // what could be told has been told
	c.r.release()
	c.parts.clear()
	close(c.done)
	if c.ended != nil {
		c.ended()
	}
}

// readErr is what a failed read means for the connection.
func readErr(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: by the peer", ErrClosed)
	}
	return fmt.Errorf("%w: read: %w", ErrClosed, err)
}
