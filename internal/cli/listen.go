package cli

import (
	"context"
	"fmt"
	"net"
	"net/url"

	"warmline.dev/protocol/rsocket"
)

// listen listens for lines at an address without TLS, and returns the address
// with the port that it got: what to dial.
func listen(ctx context.Context, address string) (net.Listener, string, error) {
	u, err := url.Parse(address)
	if err == nil && (u.Scheme == "tls" || u.Scheme == "wss") {
		return nil, "", fmt.Errorf("address %q: there is no certificate to show: expected tcp://HOST:PORT, unix:///PATH or ws://HOST:PORT[/PATH]", address)
	}
	l, err := rsocket.Listen(ctx, address)
	if err != nil {
		return nil, "", err
	}
	if u.Host != "" {
		u.Host = l.Addr().String()
	}
	return l, u.String(), nil
}
