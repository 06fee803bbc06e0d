package link

import (
	"net"
	"sync"
	"sync/atomic"
)

// connection is one that was made to the link, and the one that the link made for
// it to its target.
type connection struct {
	link *Link
	near *net.TCPConn
	to   string

	open atomic.Int32 // directions that have not ended

	mu       sync.Mutex
	far      *net.TCPConn  // guarded by mu; nil: not yet
	ways     [2]*direction // guarded by mu, like far
	isClosed bool          // guarded by mu
}

// dial connects to the target, a round trip after near has been accepted.
func (c *connection) dial() {
	far, err := c.link.dialer.DialContext(c.link.ctx, "tcp", c.to)
	if err != nil {
		c.link.queue.later(c.reset)
		return
	}
	if !c.begin(far.(*net.TCPConn)) {
		_ = far.Close()
	}
}

// begin carries both directions. It returns false if the connection has been closed.
func (c *connection) begin(far *net.TCPConn) bool {
	near, err1 := newSocket(c.near)
	remote, err2 := newSocket(far)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err1 != nil || err2 != nil || c.isClosed { // the errors are that it is closed
		return false
	}
	c.far = far
	c.ways = [2]*direction{newDirection(c, near, remote), newDirection(c, remote, near)}
	c.open.Store(2)
	for _, d := range c.ways {
		c.link.wg.Go(d.carry)
	}
	return true
}

// ended is told when a direction has passed on its end.
func (c *connection) ended() {
	if c.open.Add(-1) == 0 {
		c.link.wg.Go(func() { c.close(false) }) // not by the direction, which holds its lock
	}
}

// reset closes both ends at once, so that whoever is there sees that it broke.
func (c *connection) reset() { c.close(true) }

func (c *connection) close(reset bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isClosed {
		return
	}
	c.isClosed = true
	for _, tcp := range []*net.TCPConn{c.near, c.far} {
		if tcp == nil {
			continue
		}
		if reset {
			_ = tcp.SetLinger(0) // fails if the end has done so before
		}
		_ = tcp.Close()
	}
	for _, d := range c.ways {
		if d != nil {
			d.mu.Lock()
			d.stop()
			d.mu.Unlock()
		}
	}
	c.link.forget(c)
}
