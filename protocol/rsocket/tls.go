package rsocket

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"warmline.dev/protocol/internal/carrier"
)

// ListenTLS listens at a tls or wss address (see [CheckAddress] and [Listen])
// with a configuration that has a certificate. It is copied; its MinVersion is
// TLS 1.2 unless set.
//
// Accepting never waits for a handshake: each takes place on its connection's
// own goroutine, within [Config.FirstFrameTimeout] of the server.
//
// For client certificates set ClientCAs and ClientAuth to
// tls.RequireAndVerifyClientCert: who has none is refused before the SETUP is
// read, and [Conn.TLS] tells an [Acceptor] who it is. The dialling side learns of
// the refusal when it reads: TLS 1.3 lets it send before it has been accepted.
func ListenTLS(ctx context.Context, address string, cfg *tls.Config) (net.Listener, error) {
	a, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	if !a.secure() {
		return nil, fmt.Errorf("rsocket: address %q: %s goes without TLS: use Listen, or a tls or wss address", address, a.scheme)
	}
	if cfg == nil || len(cfg.Certificates) == 0 && cfg.GetCertificate == nil && cfg.GetConfigForClient == nil {
		return nil, fmt.Errorf("rsocket: address %q: expected a tls.Config with a certificate", address)
	}
	cfg = secured(cfg)
	if a.web() {
		cfg.NextProtos = []string{"http/1.1"} // what a WebSocket is made of
	}
	l, err := a.listen(ctx)
	if err != nil {
		return nil, err
	}
	l = tls.NewListener(l, cfg)
	if a.web() {
		l = newWebSocketListener(l, a.url.Path)
	}
	return l, nil
}

// TLS is what the handshake agreed on, with the peer's certificates; nil where
// the connection is not over TLS. The certificates of a client have been
// verified only if the listener's configuration says so. A handshake that is
// under way is waited for; once an [Acceptor] is asked, none is.
func (c *Conn) TLS() *tls.ConnectionState {
	return carrier.TLS(c.carrier())
}

// secured copies a configuration, which may be nil, and sets what is too low.
func secured(cfg *tls.Config) *tls.Config {
	if cfg == nil {
		cfg = &tls.Config{} //nolint:gosec // MinVersion follows
	}
	cfg = cfg.Clone()
	if cfg.MinVersion == 0 {
		cfg.MinVersion = tls.VersionTLS12
	}
	return cfg
}

// dialTLS makes the dialling side of a TLS connection of nc, which it closes if
// it fails.
func dialTLS(ctx context.Context, nc net.Conn, a address, cfg *tls.Config) (net.Conn, error) {
	cfg = secured(cfg)
	if cfg.ServerName == "" {
		cfg.ServerName = a.url.Hostname()
	}
	if a.web() {
		cfg.NextProtos = []string{"http/1.1"}
	}
	t := tls.Client(nc, cfg)
	if err := t.HandshakeContext(ctx); err != nil {
		_ = nc.Close() // the first error is the one to tell
		if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
			return nil, fmt.Errorf("rsocket: %s: %w: the server goes without TLS, or this is another's port", a.text, err)
		}
		return nil, fmt.Errorf("rsocket: %s: %w", a.text, err)
	}
	return t, nil
}
