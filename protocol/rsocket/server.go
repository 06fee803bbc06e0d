package rsocket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"warmline.dev/protocol/internal/accepted"
	"warmline.dev/protocol/internal/carrier"
	"warmline.dev/protocol/rsocket/frame"
)

// Acceptor decides about a connection whose SETUP has arrived and is valid:
// [Conn.Setup] tells what the peer declared. It returns what this side answers,
// or refuses: an [*Error] decides the code that the peer sees, any other error
// is REJECTED_SETUP with its text.
//
// It may keep conn to make requests on it; their answers arrive once it has
// returned. ctx ends with the connection.
type Acceptor func(ctx context.Context, conn *Conn) (Handler, error)

// Server accepts connections. Make it with [NewServer].
type Server struct {
	accept Acceptor
	cfg    Config
	conns  *accepted.Set[*Conn]

	// guarded by mu
	mu       sync.Mutex
	sessions map[string]*session // by resume token
}

// NewServer returns a server, or what is wrong with cfg.
func NewServer(accept Acceptor, cfg Config) (*Server, error) {
	cfg, err := cfg.WithDefaults()
	if err != nil {
		return nil, err
	}
	return &Server{accept: accept, cfg: cfg, conns: accepted.New[*Conn](cfg.MaxConns), sessions: map[string]*session{}}, nil
}

// Serve accepts connections from l until the server is closed, and then returns
// [ErrServerClosed]; any other error is l's. It closes l. A server may serve
// several listeners.
func (s *Server) Serve(l net.Listener) error {
	carrier.Bound(l, s.cfg)
	if err := s.conns.Serve(l, func(nc net.Conn) { s.handle(nc) }); err != nil {
		return fmt.Errorf("rsocket: accept: %w", err)
	}
	return ErrServerClosed
}

// ServeConn serves one connection that was accepted elsewhere, say by an HTTP
// server ([Upgrade]) or in memory ([Pipe]), and returns when it has ended and its
// handlers have returned, or when a connection that was resumed has taken nc. It
// owns nc. A server that is closed, or that holds [Config.MaxConns] already,
// closes nc and returns at once; why a connection that was served ended is for
// the acceptor to see ([Conn.Done], [Conn.Err]).
func (s *Server) ServeConn(nc net.Conn) {
	if c := s.handle(nc); c != nil {
		<-c.done
		c.wg.Wait()
	}
}

// handle serves one connection on a goroutine of its own, or returns nil if it
// takes none.
func (s *Server) handle(nc net.Conn) *Conn {
	c := newConn(nc, Setup{}, s.cfg, false)
	c.ended = func() { go s.forget(c) }
	s.mu.Lock()
	resumable := len(s.sessions) // each may be about to get another carrier
	s.mu.Unlock()
	taken := s.conns.Add(c, resumable, func() {
		c.tryTurn()
		c.wg.Go(func() { s.serve(c) })
	})
	if !taken {
		_ = nc.Close() // to tell it anything would be to hold it
		return nil
	}
	return c
}

// forget waits for what a connection has started and lets go of it.
func (s *Server) forget(c *Conn) {
	defer s.conns.Remove(c)
	c.wg.Wait()
	if c.session != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.sessions, string(c.session.token))
	}
}

// serve reads the first frame, asks the acceptor and starts the read loop.
func (s *Server) serve(c *Conn) {
	if t := c.cfg.FirstFrameTimeout; t > 0 {
		_ = c.nc.SetReadDeadline(time.Now().Add(t)) // a dead socket says so on read
	}
	f, err := c.readFirst()
	if err == nil && f.Type == frame.TypeResume {
		s.resume(c, f)
		return
	}
	if err == nil && s.conns.Overfull() {
		err = fmt.Errorf("%w: the server holds %d connections", ErrClosed, s.cfg.MaxConns)
	}
	if err == nil {
		err = s.setUp(c, f)
	}
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			e.Conn = true
			c.endWith(e)
		} else {
			c.end(err)
		}
		c.takeDown()
		return
	}
	if c.setup.Lease {
		c.grant()
	}
	c.watch()
	c.goRead()
}

// readFirst reads a frame that a connection can begin with. An [*Error] is for
// the peer.
func (c *Conn) readFirst() (*frame.Frame, error) {
	// Before the first read, so that it is bounded in both directions.
	if err := carrier.Handshake(c.ctx, c.nc, c.cfg.FirstFrameTimeout); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrClosed, err)
	}
	b, err := c.r.next()
	if err != nil {
		if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() && c.Err() == nil {
			return nil, &Error{Code: frame.CodeInvalidSetup, Message: fmt.Sprintf("no SETUP within %v", c.cfg.FirstFrameTimeout)}
		}
		if long, ok := errors.AsType[carrier.FrameTooLong](err); ok {
			return nil, &Error{Code: frame.CodeInvalidSetup, Message: long.Error()}
		}
		return nil, readErr(err)
	}
	f, err := c.cfg.ParseFirst(b)
	if err != nil {
		return nil, err
	}
	c.clearReadDeadline()
	return &f, nil
}

// setUp takes a SETUP frame and asks the acceptor. An [*Error] is for the peer.
func (s *Server) setUp(c *Conn, f *frame.Frame) error {
	c.setup = SetupOf(f)
	c.leased.on, c.granted.on = c.setup.Lease, c.setup.Lease
	if c.setup.Resume {
		c.resumable(append([]byte{}, f.Setup.Token...))
		if !s.remember(c.session) {
			c.mu.Lock()
			c.session = nil // the token is another connection's
			c.mu.Unlock()
			return &Error{Code: frame.CodeRejectedSetup, Message: "the resume token is in use"}
		}
	}
	var err error
	if c.handler, err = s.accept(c.ctx, c); err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			return &Error{Code: e.Code, Message: e.Message}
		}
		return &Error{Code: frame.CodeRejectedSetup, Message: err.Error()}
	}
	return nil
}

// Shutdown stops accepting, shuts every connection down gracefully at the same
// time (see [Conn.Shutdown]) and returns when all have ended and their
// goroutines too. When ctx ends first it closes what is left and returns ctx's
// error.
func (s *Server) Shutdown(ctx context.Context) error { return s.conns.Shutdown(ctx) }

// Close stops accepting, closes every connection and returns when their
// goroutines have ended. It may be called twice.
func (s *Server) Close() error {
	s.conns.Close()
	return nil
}

// Conns returns the connections that stand or are being set up, in no order.
func (s *Server) Conns() []*Conn { return s.conns.Conns() }
