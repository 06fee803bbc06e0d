package line

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/url"

	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/composite"
)

// Credentials are how the dialling side proves who it is. Their functions are asked
// for each line that is opened, so that what they give may change; they must be quick
// and safe for concurrent use.
type Credentials struct {
	// TLS gives the configuration for tls and wss addresses, with the client
	// certificate. It is not changed. Default: the TLS of the RSocket bounds.
	TLS func() *tls.Config
	// Token gives a token that goes into the metadata of SETUP; "" is none. It is not
	// sent where others could read it: an address without TLS that is neither on
	// loopback nor a unix socket is an error then. Default: none.
	Token func() string
}

// secure says what is wrong with giving a token at an address.
func (c Credentials) secure(address string) error {
	if c.Token == nil {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "tcp" && u.Scheme != "ws" || onLoopback(u.Hostname()) {
		return nil
	}
	return fmt.Errorf("address %q: a token is a secret, and whoever is on the way could read it: expected tls:// or wss://", address)
}

// onLoopback reports whether a host is this one, as its address or as localhost.
func onLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// tls is the configuration for a line to a target.
func (t *Target) tls() *tls.Config {
	cfg := t.RSocket.TLS
	if t.Credentials.TLS != nil {
		cfg = t.Credentials.TLS()
	}
	if t.serverName == "" {
		return cfg
	}
	if cfg = cfg.Clone(); cfg == nil {
		cfg = &tls.Config{} //nolint:gosec // package rsocket sets MinVersion
	}
	if cfg.ServerName == "" {
		cfg.ServerName = t.serverName
	}
	return cfg
}

// setup is what goes into SETUP.
func (t *Target) setup(hello []byte) (rsocket.Payload, error) {
	p := rsocket.Payload{Data: hello}
	if t.Credentials.Token == nil {
		return p, nil
	}
	token := t.Credentials.Token()
	if token == "" {
		return p, nil
	}
	var err error
	p.Metadata, err = composite.AppendBearer(nil, token)
	return p, err
}
