package bus

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// dialer is the client's way out. It ends with a context, where the client's own
// waits its time out, and it puts a guard between the server and the client. That
// one must see what is said, so TLS is begun here.
type dialer struct {
	ctx context.Context
	tls bool  // it must be TLS; without, it is if the server wants it
	err error // of the last attempt that failed
}

var _ nats.CustomDialer = (*dialer)(nil)

// SkipTLSHandshake tells the client that TLS is seen to.
func (d *dialer) SkipTLSHandshake() bool { return true }

// Dial implements [nats.CustomDialer].
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	nd := net.Dialer{Timeout: connectTimeout}
	nc, err := nd.DialContext(d.ctx, network, address)
	if err != nil {
		d.err = err
		return nil, err
	}
	context.AfterFunc(d.ctx, func() { _ = nc.Close() }) // it may be closed already
	g, err := d.greet(nc, address)
	if err != nil {
		_ = nc.Close() // the first error is the one to tell
		d.err = fmt.Errorf("%s: %w", address, err)
		return nil, d.err
	}
	return g, nil
}

// greet reads what the server says first, and begins TLS if that is to be.
func (d *dialer) greet(nc net.Conn, address string) (*guard, error) {
	if err := nc.SetDeadline(time.Now().Add(connectTimeout)); err != nil {
		return nil, err
	}
	g := &guard{Conn: nc}
	var said []byte
	for chunk := make([]byte, 4<<10); bytes.IndexByte(said, '\n') < 0; {
		n, err := g.Read(chunk)
		if err != nil {
			return nil, err
		}
		said = append(said, chunk[:n]...)
	}
	line, rest, _ := bytes.Cut(said, []byte("\n"))
	var info struct {
		Required  bool `json:"tls_required"`
		Available bool `json:"tls_available"`
	}
	text, ok := bytes.CutPrefix(line, []byte("INFO "))
	if !ok || json.Unmarshal(text, &info) != nil {
		return nil, errors.New("expected a NATS server's INFO")
	}
	g.again = said
	switch {
	case !d.tls && !info.Required:
		return g, nil
	case !info.Required && !info.Available:
		return nil, errors.New("expected a server with TLS, as the URL says tls://")
	case len(rest) > 0:
		return nil, errors.New("expected TLS behind the server's INFO")
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	secure := tls.Client(nc, &tls.Config{ServerName: strings.Trim(host, "[]"), MinVersion: tls.VersionTLS12})
	if err := secure.HandshakeContext(d.ctx); err != nil {
		return nil, err
	}
	g.Conn = secure
	return g, nil
}
