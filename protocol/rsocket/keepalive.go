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
		every = c.lifetime() // nothing to send, only to look
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.timer = time.AfterFunc(every, c.tick)
	}
}

// lifetime is the silence after which the peer counts as dead.
func (c *Conn) lifetime() time.Duration {
	if c.client {
		return c.setup.Lifetime
	}
	return c.cfg.LifetimeOf(c.setup)
}

func (c *Conn) tick() {
	silent := time.Since(time.Unix(0, c.lastRead.Load()))
	lifetime := c.lifetime()
	left := lifetime - silent
	if left <= 0 {
		e := &Error{
			Code: frame.CodeConnectionError, Conn: true,
			Message: fmt.Sprintf("no frame for %v, the lifetime is %v", silent.Round(time.Millisecond), lifetime),
		}
		if c.session == nil || !c.session.lost() {
			c.endWith(e)
			return
		}
		left = lifetime // the carrier was given up, and with the next one the silence begins anew
	}
	next := left
	if c.client {
		next = min(left, c.setup.KeepAlive)
		c.sendKeepAlive(true, nil)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.timer.Reset(max(next, time.Millisecond))
	}
}

// sendKeepAlive sends KEEPALIVE with the position up to where frames have arrived.
func (c *Conn) sendKeepAlive(respond bool, data []byte) {
	var position uint64
	if c.session != nil {
		position = c.session.received.Load()
	}
	if b := c.w.force(frame.HeaderSize + 8 + len(data)); b != nil {
		c.w.end(frame.AppendKeepAlive(b, respond, position, data))
	}
}
