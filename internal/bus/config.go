package bus

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/rs/zerolog"
)

const (
	embedded    = "embedded"
	defaultName = "warmline"
	defaultPort = "4222"
	maxName     = 128
	maxServers  = 16
)

// Config says which bus. The zero value is an embedded one that is for this
// process alone.
type Config struct {
	// URL is "embedded" (default): a server in this process that listens nowhere;
	// "embedded://127.0.0.1:7422": one that other processes on the machine can join,
	// the port 0 stands for a free one; "nats://host:4222" or "tls://host:4222",
	// several with commas between them: an external one. A user and a password, or a
	// token, may stand in front of the host; neither is ever logged. With tls:// the
	// certificate must be one that the system trusts, for that host.
	URL string

	// Name is the connection's, as the server's monitoring shows it. Default
	// "warmline", at most 128 bytes.
	Name string

	// Log is told of connections that are lost and found, and of what the embedded
	// server complains about. Default: nothing is logged.
	Log zerolog.Logger
}

// CheckURL says what is wrong with a URL as Config has it, nil if nothing is.
func CheckURL(url string) error {
	_, err := parse(url)
	return err
}

// target is what a URL means.
type target struct {
	listen  string   // host:port of an embedded server; "" where it listens nowhere
	servers []string // external ones, with what they ask for; none: embedded
	shown   string   // the URL without user, password and token
}

var errURL = errors.New(`expected "embedded", "embedded://127.0.0.1:7422", "nats://host:4222" or "tls://host:4222", several with commas between them`)

// parse reads a URL. No part of it is in its errors: what stands where it should
// not may be half a password.
func parse(raw string) (target, error) {
	if raw == "" || raw == embedded {
		return target{}, nil
	}
	var t target
	var shown []string
	for i, one := range strings.Split(raw, ",") {
		u, err := url.Parse(one)
		switch {
		case i >= maxServers:
			return t, fmt.Errorf("bus: URL: expected at most %d servers", maxServers)
		case err != nil:
			return t, fmt.Errorf("bus: URL: number %d can't be read (in a password, write / as %%2F, @ as %%40, : as %%3A): %w", i+1, errURL)
		case u.Hostname() == "" || u.Opaque != "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "":
			return t, fmt.Errorf("bus: URL: number %d: %w", i+1, errURL)
		}
		switch u.Scheme {
		case embedded:
			if raw != one {
				return t, fmt.Errorf("bus: URL: an embedded server stands alone: %w", errURL)
			}
			t.listen, err = loopback(u)
			return t, err
		case "nats", "tls":
			if u.Scheme != raw[:len(u.Scheme)] {
				return t, errors.New("bus: URL: expected nats:// for all servers, or tls:// for all")
			}
		default:
			return t, fmt.Errorf("bus: URL: number %d: %w", i+1, errURL)
		}
		u.Host = net.JoinHostPort(u.Hostname(), portOr(u, defaultPort))
		t.servers = append(t.servers, u.String())
		u.User = nil
		shown = append(shown, u.String())
	}
	t.shown = strings.Join(shown, ",")
	return t, nil
}

func portOr(u *url.URL, port string) string {
	if p := u.Port(); p != "" {
		return p
	}
	return port
}

// loopback is where an embedded server listens.
func loopback(u *url.URL) (string, error) {
	const expected = "expected an address of this machine alone and a port, such as embedded://127.0.0.1:7422"
	ip, err := netip.ParseAddr(u.Hostname())
	if err != nil || !ip.IsLoopback() || u.User != nil {
		return "", errors.New("bus: URL: the embedded server asks nobody who they are: " + expected)
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err != nil {
		return "", errors.New("bus: URL: " + expected)
	} else {
		return net.JoinHostPort(ip.String(), strconv.FormatUint(port, 10)), nil
	}
}
