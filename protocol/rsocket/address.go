package rsocket

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// CheckAddress says what is wrong with an address, nil if nothing is.
//
// An address is a URL:
//
//	tcp://HOST:PORT              TCP
//	tls://HOST:PORT              TLS over TCP
//	unix:///PATH                 a unix socket; the path is absolute
//	ws://HOST[:PORT][/PATH]      WebSocket; without a port 80, without a path /
//	wss://HOST[:PORT][/PATH]     WebSocket over TLS; without a port 443
//
// A host is always named: 0.0.0.0 or [::] to listen on every interface. A
// WebSocket that is dialled may have a query.
func CheckAddress(address string) error {
	_, err := parseAddress(address)
	return err
}

// Listen listens at a tcp, unix or ws address (see [CheckAddress]); port 0 takes
// a free one. What it returns is for [Server.Serve]; the listener's address is
// that of the socket, HOST:PORT or the path.
//
// A socket file that is in the way is removed if it is a socket and nobody
// answers on it. Closing the listener removes its own.
//
// A WebSocket listener answers HTTP at its path only, and refuses browsers that
// show a page of another origin; see [Upgrade] for a policy of one's own.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	a, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	if a.secure() {
		return nil, fmt.Errorf("rsocket: address %q: %s takes a certificate: use ListenTLS, or a tcp, unix or ws address without TLS", address, a.scheme)
	}
	if a.scheme == "unix" {
		return listenUnix(ctx, a.host)
	}
	l, err := a.listen(ctx)
	if err == nil && a.web() {
		l = newWebSocketListener(l, a.url.Path)
	}
	return l, err
}

// address is a parsed address.
type address struct {
	text          string
	url           *url.URL // with the default path
	scheme        string
	network, host string // as package net takes them
}

func (a address) secure() bool { return a.scheme == "tls" || a.scheme == "wss" }
func (a address) web() bool    { return a.scheme == "ws" || a.scheme == "wss" }

// listen listens at a TCP address.
func (a address) listen(ctx context.Context) (net.Listener, error) {
	if a.url.Port() == "" || a.url.RawQuery != "" {
		return nil, fmt.Errorf("rsocket: address %q: to listen, expected %s://HOST:PORT[/PATH], for example %s", a.text, a.scheme, examples[a.scheme])
	}
	var lc net.ListenConfig
	return lc.Listen(ctx, a.network, a.host)
}

// forms are the schemes with what follows them.
var forms = map[string]string{
	"tcp":  "tcp://HOST:PORT",
	"tls":  "tls://HOST:PORT",
	"unix": "unix:///PATH",
	"ws":   "ws://HOST[:PORT][/PATH]",
	"wss":  "wss://HOST[:PORT][/PATH]",
}

var examples = map[string]string{
	"tcp":  "tcp://127.0.0.1:7070",
	"tls":  "tls://127.0.0.1:7071",
	"unix": "unix:///run/warmline/edge.sock",
	"ws":   "ws://127.0.0.1:7072/rsocket",
	"wss":  "wss://127.0.0.1:7073/rsocket",
}

const longestUnixPath = 107 // what the kernel takes; beyond it, it says "invalid argument"

// parseAddress takes an address apart.
func parseAddress(text string) (address, error) {
	scheme, _, _ := strings.Cut(text, ":")
	scheme = strings.ToLower(scheme)
	form, known := forms[scheme]
	if !known {
		return address{}, fmt.Errorf("rsocket: address %q: expected %s, %s, %s, %s or %s", text, forms["tcp"], forms["tls"], forms["unix"], forms["ws"], forms["wss"])
	}
	u, err := url.Parse(text)
	a := address{text: text, url: u, scheme: scheme, network: "tcp"}
	ok := err == nil && u.Opaque == "" && u.User == nil && u.Fragment == ""
	switch {
	case !ok:
	case scheme == "unix":
		a.network, a.host = "unix", u.Path
		ok = u.Host == "" && u.RawQuery == "" && len(u.Path) > 1
		if ok && len(u.Path) > longestUnixPath {
			return address{}, fmt.Errorf("rsocket: address %q: a path of %d bytes, expected at most %d", text, len(u.Path), longestUnixPath)
		}
	default:
		ok = a.hostAndPort()
	}
	if !ok {
		return address{}, fmt.Errorf("rsocket: address %q: expected %s, for example %s", text, form, examples[scheme])
	}
	return a, nil
}

// hostAndPort fills in the host of an address that has one.
func (a *address) hostAndPort() bool {
	u, port := a.url, a.url.Port()
	if port == "" {
		port = map[string]string{"ws": "80", "wss": "443"}[a.scheme]
	}
	if n, err := strconv.Atoi(port); err != nil || n > 65535 || u.Hostname() == "" {
		return false
	}
	if !a.web() {
		if (u.Path != "" && u.Path != "/") || u.RawQuery != "" {
			return false
		}
	} else if u.Path == "" {
		u.Path = "/"
	}
	a.host = net.JoinHostPort(u.Hostname(), port)
	return true
}
