package rsocket

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"
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
		linger(nc, patience)
	}
	_ = nc.Close() // what could be told has been told
	c.r.release()
	c.parts.clear()
	close(c.done)
	if c.ended != nil {
		c.ended()
	}
}

// linger reads what the peer still sends, for a bounded time and size: closing
// a socket with unread bytes resets it, and the peer would lose the ERROR frame.
func linger(nc net.Conn, patience time.Duration) {
	half, ok := nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = nc.SetReadDeadline(time.Now().Add(patience))
	_, _ = io.Copy(io.Discard, io.LimitReader(nc, 1<<20)) // whatever ends it ends it
}

// readErr is what a failed read means for the connection.
func readErr(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: by the peer", ErrClosed)
	}
	return fmt.Errorf("%w: read: %w", ErrClosed, err)
}
