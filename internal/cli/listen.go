package cli

import (
	"context"
	"fmt"
	"net"
	"net/url"

	"github.com/rs/zerolog"

	"warmline.dev/internal/credentials"
	"warmline.dev/protocol/rsocket"
)

// listen listens for lines at an address, and returns the address with the port that
// it got: what to dial.
func listen(ctx context.Context, address string, p proof) (net.Listener, string, error) {
	u, err := checkListen(address, p)
	if err != nil {
		return nil, "", err
	}
	var l net.Listener
	if secure(u) {
		l, err = rsocket.ListenTLS(ctx, address, p.server)
	} else {
		l, err = rsocket.Listen(ctx, address)
	}
	if err != nil {
		return nil, "", err
	}
	if u.Host != "" {
		u.Host = l.Addr().String()
	}
	return l, u.String(), nil
}

func secure(u *url.URL) bool { return u.Scheme == "tls" || u.Scheme == "wss" }

// isLocal reports whether only this machine reaches an address.
func isLocal(u *url.URL) bool { return u.Scheme == "unix" || credentials.OnLoopback(u.Hostname()) }

// checkListen says why there is no listening at an address.
func checkListen(address string, p proof) (*url.URL, error) {
	if err := rsocket.CheckAddress(address); err != nil {
		return nil, usageError{err}
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, usageError{err}
	case secure(u) && p.server == nil:
		return nil, usageError{fmt.Errorf("address %q: there is no certificate to show: give --tls-cert and --tls-key, or listen at tcp://HOST:PORT, unix:///PATH or ws://HOST:PORT[/PATH]", address)}
	case p.known == nil && !isLocal(u):
		return nil, usageError{fmt.Errorf("address %q: other machines could dial it, and nobody would be asked who they are: give --peers FILE, which says who may (see warmline peer token --help), or listen on 127.0.0.1", address)}
	}
	return u, nil
}

// warnOf says in one line what is not safe about an address that is listened at.
func warnOf(address string, p proof, log zerolog.Logger) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
	case p.known == nil:
		log.Warn().Str("address", address).Msg("nobody is asked who they are: whoever is on this machine may dial; --peers FILE says who may")
	case !secure(u) && !isLocal(u):
		log.Warn().Str("address", address).Msg("lines are not encrypted: whoever is on the way can read tokens and passports; tls:// and wss:// are")
	}
}
