package harness

import (
	"net"
	"sync"
	"weak"
)

// Counted is a listener that knows how many bytes went over the connections it
// accepted. It hands them out as they are: around a connection of another type
// servers would have to leave their fast paths.
//
// It is safe for concurrent use. Closing it closes the listener, and no connection.
type Counted struct {
	net.Listener

	mu     sync.Mutex
	conns  []counted // guarded by mu
	sweep  int       // guarded by mu: with so many, who has closed is looked for
	closed int64     // guarded by mu: bytes of connections that have closed
}

// counted is a connection, which is nobody's any more when it is not the server's.
type counted struct {
	conn  weak.Pointer[net.TCPConn]
	bytes int64 // when it was last looked at
}

// NewCounted counts what goes over the TCP connections that l accepts; others
// don't count.
func NewCounted(l net.Listener) *Counted { return &Counted{Listener: l} }

// Accept is [net.Listener].
func (c *Counted) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		c.add(tcp)
	}
	return conn, err
}

func (c *Counted) add(conn *net.TCPConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.conns) >= c.sweep { // else connections that come and go would pile up
		c.look()
		c.sweep = 2*len(c.conns) + 64
	}
	c.conns = append(c.conns, counted{conn: weak.Make(conn)})
}

// Bytes is how many have been sent and received so far, without the headers of TCP
// and what was sent again. It is 0 where the system doesn't say: it takes Linux
// 4.19. What a connection carried after it was last looked at, which Bytes does,
// is lost when it closes: so the difference of two calls is exact for connections
// that are open at both.
func (c *Counted) Bytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.look()
}

// look asks all connections, forgets those that have closed, and returns the sum. c.mu is held.
func (c *Counted) look() int64 {
	open, sum := c.conns[:0], int64(0)
	for _, at := range c.conns {
		bytes, ok := int64(0), false
		if conn := at.conn.Value(); conn != nil {
			bytes, ok = carried(conn)
		}
		if !ok {
			c.closed += at.bytes
			continue
		}
		at.bytes = bytes
		open, sum = append(open, at), sum+bytes
	}
	clear(c.conns[len(open):])
	c.conns = open
	return c.closed + sum
}
