package rsocketgo

import (
	"context"
	"fmt"
	"net"

	"github.com/jjeffcaii/reactor-go/scheduler"
	library "github.com/rsocket/rsocket-go"
	"github.com/rsocket/rsocket-go/core/transport"

	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// Dial connects to address (see [rsocket.CheckAddress]), with [rsocket.Config].TLS
// if it is a tls or wss address, and makes a [Client] connection of it. ctx binds
// the dialling and the handshakes only.
func Dial(ctx context.Context, address string, setup rsocket.Setup, handler rsocket.Handler, cfg rsocket.Config) (*Conn, error) {
	cfg, setup, err := checked(cfg, setup)
	if err != nil {
		return nil, err
	}
	nc, err := rsocket.Connect(ctx, address, cfg)
	if err != nil {
		return nil, err
	}
	c, err := start(nc, setup, handler, cfg)
	if err != nil {
		_ = nc.Close() // the first error is the one to tell
	}
	return c, err
}

// Client sends SETUP on nc and returns the connection without waiting: RSocket
// has no answer to a SETUP that is accepted. A refusal ends the connection, and
// every request made on it fails, with an [*rsocket.Error] of the setup codes.
//
// nc is any ordered stream of bytes, or made by [rsocket.Connect]; the connection
// owns it once Client has returned no error. Fields of cfg that rsocket-go can't honour are an error.
func Client(nc net.Conn, setup rsocket.Setup, handler rsocket.Handler, cfg rsocket.Config) (*Conn, error) {
	cfg, setup, err := checked(cfg, setup)
	if err != nil {
		return nil, err
	}
	return start(nc, setup, handler, cfg)
}

// checked returns both with their defaults, or what is wrong with them.
func checked(cfg rsocket.Config, setup rsocket.Setup) (rsocket.Config, rsocket.Setup, error) {
	cfg, err := withDefaults(cfg)
	if err == nil {
		setup, err = setup.WithDefaults()
		setup.Lease, setup.Resume = false, false
	}
	if n := setupSize(setup); err == nil && n > min(cfg.MaxFrame, longestFrame) {
		err = fmt.Errorf("%w: SETUP takes %d bytes", rsocket.ErrTooLarge, n)
	}
	return cfg, setup, err
}

// start makes a connection of nc.
func start(nc net.Conn, setup rsocket.Setup, handler rsocket.Handler, cfg rsocket.Config) (c *Conn, err error) {
	c = newConn(nc, setup, cfg, true)
	c.handler = handler
	down := make(chan struct{})
	c.socket, err = library.Connect().
		DataMimeType(setup.DataMIME).
		MetadataMimeType(setup.MetadataMIME).
		SetupPayload(lend(setup.Payload)).
		KeepAlive(setup.KeepAlive, setup.Lifetime, 1).
		// Its default is a pool for each connection, and a request that comes as
		// the pool closes panics. This one starts plain goroutines.
		Scheduler(scheduler.Parallel(), scheduler.Parallel()).
		OnClose(func(error) { close(down) }).
		Acceptor(func(context.Context, library.RSocket) library.RSocket { return responder{c} }).
		Transport(func(context.Context) (*transport.Transport, error) {
			return transport.NewTransport(c.wire), nil
		}).
		Start(context.Background())
	if err != nil {
		return nil, fmt.Errorf("rsocketgo: %w", err)
	}
	close(c.stands)
	c.wg.Go(c.wire.run)
	c.wg.Go(func() { c.readLoop(c.newReader(), down) })
	return c, nil
}

// setupSize is at least the length of the SETUP frame.
func setupSize(s rsocket.Setup) int {
	const fixed = 14
	return fixed + frame.PayloadSize(s.Payload.Metadata, s.Payload.Data) + len(s.MetadataMIME) + len(s.DataMIME)
}
