package rsocketgo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jjeffcaii/reactor-go/scheduler"
	library "github.com/rsocket/rsocket-go"
	"github.com/rsocket/rsocket-go/core/transport"
	"github.com/rsocket/rsocket-go/payload"

	"warmline.dev/protocol/internal/accepted"
	"warmline.dev/protocol/internal/carrier"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// Acceptor decides about a connection whose SETUP has arrived and is valid, as
// [rsocket.Acceptor] does.
type Acceptor func(ctx context.Context, conn *Conn) (rsocket.Handler, error)

// Server accepts connections that rsocket-go carries, the counterpart of
// [rsocket.Server]. Make it with [NewServer].
type Server struct {
	accept Acceptor
	cfg    rsocket.Config
	serve  transport.ServerTransportAcceptor // the library's, for one connection
	conns  *accepted.Set[*Conn]
}

// NewServer returns a server, or what is wrong with cfg. Fields of cfg that
// rsocket-go can't honour are an error.
func NewServer(accept Acceptor, cfg rsocket.Config) (*Server, error) {
	cfg, err := withDefaults(cfg)
	if err != nil {
		return nil, err
	}
	s := &Server{accept: accept, cfg: cfg, conns: accepted.New[*Conn](cfg.MaxConns)}
	if s.serve, err = libraryServer(); err != nil {
		return nil, fmt.Errorf("rsocketgo: %w", err)
	}
	return s, nil
}

// acceptKey is the key of a context's func that answers SETUP.
type acceptKey struct{}

type acceptFunc = func(library.RSocket) (library.RSocket, error)

// libraryServer makes a server of the library's and returns what it does with a
// connection. Listening and accepting is done by [Server.Serve]: the library
// does not let its caller see the connections that are being set up.
func libraryServer() (transport.ServerTransportAcceptor, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var t taker
	err := library.Receive().
		Scheduler(scheduler.Parallel(), scheduler.Parallel()).
		Acceptor(func(ctx context.Context, _ payload.SetupPayload, socket library.CloseableRSocket) (library.RSocket, error) {
			return ctx.Value(acceptKey{}).(acceptFunc)(socket)
		}).
		Transport(func(context.Context) (transport.ServerTransport, error) { return &t, nil }).
		Serve(ctx)
	return t.accept, err
}

// taker is a server transport that only takes the library's acceptor.
type taker struct {
	accept transport.ServerTransportAcceptor
}

func (t *taker) Accept(a transport.ServerTransportAcceptor) { t.accept = a }
func (t *taker) Close() error                               { return nil }

func (t *taker) Listen(_ context.Context, notifier chan<- bool) error {
	notifier <- true // ends a goroutine of the library's
	return nil
}

// Serve accepts connections from l until the server is closed, and then returns
// [rsocket.ErrServerClosed]; any other error is l's. It closes l. A server may
// serve several listeners.
func (s *Server) Serve(l net.Listener) error {
	carrier.Bound(l, s.cfg)
	if err := s.conns.Serve(l, func(nc net.Conn) { s.handle(nc) }); err != nil {
		return fmt.Errorf("rsocketgo: accept: %w", err)
	}
	return rsocket.ErrServerClosed
}

// ServeConn serves one connection that was accepted elsewhere and returns when
// it has ended and its handlers have returned. It owns nc. A server that is
// closed, or that holds [rsocket.Config].MaxConns already, closes nc and returns
// at once.
func (s *Server) ServeConn(nc net.Conn) {
	if c := s.handle(nc); c != nil {
		<-c.done
		c.wg.Wait()
	}
}

// handle serves one connection on a goroutine of its own, or returns nil if it
// takes none.
func (s *Server) handle(nc net.Conn) *Conn {
	c := newConn(nc, rsocket.Setup{}, s.cfg, false)
	taken := s.conns.Add(c, 0, func() {
		c.wg.Go(c.wire.run)
		c.wg.Add(1) // the read loop
		go func() {
			s.run(c)
			c.wg.Done()
			c.wg.Wait()
			s.conns.Remove(c)
		}()
	})
	if !taken {
		_ = nc.Close() // to tell it anything would be to hold it
		return nil
	}
	return c
}

// run reads the first frame, lets the library have the connection and goes on as
// the read loop.
func (s *Server) run(c *Conn) {
	down := make(chan struct{})
	r := c.newReader()
	if t := c.cfg.FirstFrameTimeout; t > 0 {
		r.until = time.Now().Add(t)
	}
	b, err := c.readSetup(r)
	if err != nil {
		if e, ok := errors.AsType[*rsocket.Error](err); ok {
			c.endWith(e)
		} else {
			c.end(err)
		}
		close(down)
		c.takeDown(down)
		return
	}
	c.wire.pass(b)
	c.wg.Go(func() {
		defer close(down)
		ctx := context.WithValue(context.Background(), acceptKey{}, acceptFunc(func(socket library.RSocket) (library.RSocket, error) {
			return s.answerSetup(c, socket)
		}))
		s.serve(ctx, transport.NewTransport(c.wire), func(*transport.Transport) {})
	})
	select {
	case <-c.stands:
	case <-c.ctx.Done():
	}
	c.readLoop(r, down)
}

// answerSetup is asked by the library about a connection. The library's own
// refusal has only one code; it does not leave (see Conn.edit).
func (s *Server) answerSetup(c *Conn, socket library.RSocket) (library.RSocket, error) {
	c.socket = socket
	handler, err := s.accept(c.ctx, c)
	if err != nil {
		refusal := &rsocket.Error{Code: frame.CodeRejectedSetup, Message: err.Error(), Conn: true}
		if e, ok := errors.AsType[*rsocket.Error](err); ok {
			refusal.Code, refusal.Message = e.Code, e.Message
		}
		c.endWith(refusal)
		return nil, err
	}
	c.handler = handler
	close(c.stands)
	return responder{c}, nil
}

// readSetup reads the first frame. An [*rsocket.Error] is for the peer.
func (c *Conn) readSetup(r *reader) ([]byte, error) {
	// Before the first read, so that it is bounded in both directions.
	if err := carrier.Handshake(c.ctx, c.wire.nc, c.cfg.FirstFrameTimeout); err != nil {
		return nil, fmt.Errorf("%w: %w", rsocket.ErrClosed, err)
	}
	b, err := r.next()
	if err != nil {
		if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() && c.Err() == nil {
			return nil, &rsocket.Error{Code: frame.CodeInvalidSetup, Message: fmt.Sprintf("no SETUP within %v", c.cfg.FirstFrameTimeout), Conn: true}
		}
		if long, ok := errors.AsType[carrier.FrameTooLong](err); ok {
			return nil, &rsocket.Error{Code: frame.CodeInvalidSetup, Message: long.Error(), Conn: true}
		}
		return nil, readErr(err)
	}
	f, err := c.cfg.ParseFirst(b)
	if err != nil {
		return nil, err
	}
	c.setup = rsocket.SetupOf(&f)
	return b, nil
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
