package rsocket

import (
	"context"
	"net"

	"warmline.dev/protocol/rsocket/frame"
)

// Dial connects to address, a URL such as tcp://127.0.0.1:7070, and makes a
// [Client] connection of it. ctx binds the dialling only.
func Dial(ctx context.Context, address string, setup Setup, handler Handler, cfg Config) (*Conn, error) {
	network, host, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	nc, err := d.DialContext(ctx, network, host)
	if err != nil {
		return nil, err
	}
	c, err := Client(nc, setup, handler, cfg)
	if err != nil {
		_ = nc.Close() // the first error is the one to tell
	}
	return c, err
}

// Client sends SETUP on nc and returns the connection without waiting: RSocket
// has no answer to a SETUP that is accepted. A refusal ends the connection, and
// every request made on it fails, with an [*Error] of the setup codes.
//
// The connection owns nc once Client has returned no error.
func Client(nc net.Conn, setup Setup, handler Handler, cfg Config) (*Conn, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if setup, err = setup.withDefaults(); err != nil {
		return nil, err
	}
	p := setup.Payload
	wire := frame.Setup{KeepAlive: setup.KeepAlive, Lifetime: setup.Lifetime, MetadataMIME: setup.MetadataMIME, DataMIME: setup.DataMIME}
	first := frame.AppendSetup(nil, wire, 0, p.Metadata, p.Data)
	if len(first) > cfg.MaxFrame {
		return nil, ErrTooLarge
	}
	c := newConn(nc, setup, cfg, true)
	c.handler = handler
	c.wg.Go(c.readLoop) // first, so that the group is never empty while frames are written
	if b := c.w.force(); b != nil {
		c.w.end(append(b, first...))
	}
	c.watch()
	return c, nil
}
