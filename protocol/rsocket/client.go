package rsocket

import (
	"context"
	"crypto/rand"
	"errors"
	"net"

	"warmline.dev/protocol/internal/carrier"
	"warmline.dev/protocol/rsocket/frame"
)

// Dial connects to address (see [CheckAddress]), with [Config.TLS] if it is a
// tls or wss address, and makes a [Client] connection of it. ctx binds the
// dialling and the handshakes only.
func Dial(ctx context.Context, address string, setup Setup, handler Handler, cfg Config) (*Conn, error) {
	dial := func(ctx context.Context) (net.Conn, error) { return Connect(ctx, address, cfg) }
	nc, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	c, err := newClient(nc, setup, handler, cfg, dial)
	if err != nil {
		_ = nc.Close() // the first error is the one to tell
	}
	return c, err
}

// Connect is the first half of [Dial]: it connects to address and carries out the
// handshakes that this asks for, TLS and WebSocket. ctx binds all of it. What it
// returns is for [Client], or for package [warmline.dev/protocol/rsocketgo]; who
// writes to it otherwise writes whole frames behind their lengths.
func Connect(ctx context.Context, address string, cfg Config) (net.Conn, error) {
	a, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	limits, err := cfg.WithDefaults()
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	nc, err := d.DialContext(ctx, a.network, a.host)
	if err == nil && a.secure() {
		nc, err = dialTLS(ctx, nc, a, cfg.TLS)
	}
	if err == nil && a.web() {
		nc, err = dialWebSocket(ctx, nc, a)
	}
	carrier.Bound(nc, limits)
	return nc, err
}

// Client sends SETUP on nc and returns the connection without waiting: RSocket
// has no answer to a SETUP that is accepted. A refusal ends the connection, and
// every request made on it fails, with an [*Error] of the setup codes.
//
// The connection owns nc once Client has returned no error.
//
// It can't be resumed, as there is no way to another nc: [Config.ResumeFor] is
// an error here.
func Client(nc net.Conn, setup Setup, handler Handler, cfg Config) (*Conn, error) {
	return newClient(nc, setup, handler, cfg, nil)
}

func newClient(nc net.Conn, setup Setup, handler Handler, cfg Config, redial func(context.Context) (net.Conn, error)) (*Conn, error) {
	cfg, err := cfg.WithDefaults()
	if err != nil {
		return nil, err
	}
	if setup, err = setup.WithDefaults(); err != nil {
		return nil, err
	}
	if cfg.ResumeFor > 0 && redial == nil {
		return nil, errors.New("rsocket: ResumeFor is set, which needs Dial: a given connection can't be made again")
	}
	setup.Lease, setup.Resume = cfg.LeaseRequests > 0, cfg.ResumeFor > 0
	c := newConn(nc, setup, cfg, true)
	c.handler = handler
	c.leased.on, c.granted.on = setup.Lease, setup.Lease
	if setup.Resume {
		c.resumable(newToken())
		c.session.redial = redial
	}
	first := c.firstFrame()
	if len(first) > cfg.MaxFrame {
		return nil, ErrTooLarge
	}
	if b := c.w.force(len(first)); b != nil {
		c.w.end(append(b, first...))
	}
	c.startReading()
	if setup.Lease {
		c.grant()
	}
	c.watch()
	return c, nil
}

// firstFrame is the SETUP frame.
func (c *Conn) firstFrame() []byte {
	wire := frame.Setup{
		KeepAlive: c.setup.KeepAlive, Lifetime: c.setup.Lifetime,
		MetadataMIME: c.setup.MetadataMIME, DataMIME: c.setup.DataMIME,
	}
	var flags frame.Flags
	if c.setup.Lease {
		flags |= frame.FlagLease
	}
	if c.session != nil {
		wire.Token = c.session.token
	}
	return frame.AppendSetup(nil, wire, flags, c.setup.Payload.Metadata, c.setup.Payload.Data)
}

// newToken makes a resume token that nobody can guess.
func newToken() []byte { return []byte(rand.Text()) }
