package rsocket

import (
	"net"
	"sync"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/internal/certs"
)

// beside is a hand-played client of a server with this handler, which may leave
// calls to echo, and a check that a well-behaved connection to the same server
// keeps getting answers. The client has not sent SETUP.
func beside(t *testing.T, h Handler, cfg Config) (s *Server, p *peer, check func()) {
	t.Helper()
	if h.Response == nil {
		h.Response = echo().Response
	}
	s, addr := startServer(t, h, cfg)
	return s, dialRaw(t, addr), neighbour(t, addr)
}

// neighbour returns a check that a well-behaved connection to addr still gets answers.
func neighbour(t *testing.T, addr string) (check func()) {
	t.Helper()
	return answered(t, dial(t, addr, Handler{}, Config{TLS: certs.Client()}))
}

// besideInMemory is beside for a bubble of synctest.
func besideInMemory(t *testing.T, h Handler, cfg Config) (s *Server, p *peer, check func()) {
	t.Helper()
	s, connect := startInMemory(t, answering(h), cfg)
	c, err := Client(connect(), Setup{}, Handler{}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return s, newPeer(t, patient{connect()}), answered(t, c)
}

// patient waits longer for a frame than the harness does elsewhere: an hour in a
// bubble costs nothing.
type patient struct{ net.Conn }

func (p patient) SetReadDeadline(time.Time) error {
	return p.Conn.SetReadDeadline(time.Now().Add(time.Hour))
}

// answered asks once, so that the connection is there, and returns what asks again.
func answered(t *testing.T, c *Conn) (check func()) {
	t.Helper()
	check = func() {
		t.Helper()
		if got, err := c.Call(await.Context(t), text("hello")); err != nil || string(got.Data) != "hello" {
			t.Errorf("the neighbour got %q, %v", got.Data, err)
		}
	}
	check()
	return check
}

func onlyNeighbourLeft(t *testing.T, s *Server) {
	t.Helper()
	await.Until(t, "only the neighbour is left", func() bool { return len(s.Conns()) == 1 })
}

// highest looks again and again at what each connection of s holds, until most
// is called, which returns the most it saw, then included.
func highest(t *testing.T, s *Server, held func(c *Conn) int) (most func() int) {
	stop, result := make(chan struct{}), make(chan int, 1)
	go func() {
		n, stopped := 0, false
		for {
			for _, c := range s.Conns() {
				n = max(n, held(c))
			}
			if stopped {
				result <- n
				return
			}
			select {
			case <-stop:
				stopped = true // and looks once more, as it may not have come to it for long
			case <-time.After(100 * time.Microsecond):
			}
		}
	}()
	most = sync.OnceValue(func() int {
		close(stop)
		return <-result
	})
	t.Cleanup(func() { most() })
	return most
}

// connOf waits for the connection that p made to s.
func connOf(t *testing.T, s *Server, p *peer) *Conn {
	t.Helper()
	var found *Conn
	await.Until(t, "the connection is there", func() bool {
		for _, c := range s.Conns() {
			if c.RemoteAddr().String() == p.nc.LocalAddr().String() {
				found = c
			}
		}
		return found != nil
	})
	return found
}
