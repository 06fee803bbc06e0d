package rsocket

import (
	"fmt"
	"time"

	"warmline.dev/protocol/rsocket/frame"
)

// watch starts the keepalive timer: the client sends KEEPALIVE each interval,
// and both sides end a connection that has been silent for its lifetime.
func (c *Conn) watch() {
	every := c.setup.KeepAlive
	if !c.client {
		every = c.setup.Lifetime // nothing to send, only to look
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.timer = time.AfterFunc(every, c.tick)
	}
}

func (c *Conn) tick() {
	silent := time.Since(time.Unix(0, c.lastRead.Load()))
	left := c.setup.Lifetime - silent
	if left <= 0 {
		c.endWith(&Error{
			Code: frame.CodeConnectionError, Conn: true,
			Message: fmt.Sprintf("no frame for %v, the lifetime is %v", silent.Round(time.Millisecond), c.setup.Lifetime),
		})
		return
	}
	next := left
	if c.client {
		next = min(left, c.setup.KeepAlive)
		if b := c.w.force(); b != nil {
			c.w.end(frame.AppendKeepAlive(b, true, 0, nil))
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.timer.Reset(max(next, time.Millisecond))
	}
}
