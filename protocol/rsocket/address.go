package rsocket

import (
	"context"
	"fmt"
	"net"
	"net/url"
)

// Listen listens at address, a URL such as tcp://127.0.0.1:7070; port 0 takes a
// free one.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	network, host, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	return lc.Listen(ctx, network, host)
}

// CheckAddress says what is wrong with an address, nil if nothing is.
func CheckAddress(address string) error {
	_, _, err := parseAddress(address)
	return err
}

// parseAddress takes an address URL apart.
func parseAddress(address string) (network, host string, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "tcp" || u.Port() == "" || u.User != nil || (u.Path != "" && u.Path != "/") {
		return "", "", fmt.Errorf("rsocket: address %q: expected tcp://HOST:PORT", address)
	}
	return "tcp", u.Host, nil
}
