package conformance

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"warmline.dev/internal/certs"
	"warmline.dev/protocol/rsocket"
)

// Carriers are what a connection can be tried over: the schemes of addresses,
// and "pipe", which has none.
var Carriers = []string{"tcp", "tls", "unix", "ws", "wss", "pipe"}

// Listen listens at a free address of a scheme and returns the address to dial;
// where there is TLS, with [certs.Client].
func Listen(t testing.TB, scheme string) (l net.Listener, address string) {
	t.Helper()
	const anyPort = "127.0.0.1:0"
	address = scheme + "://" + anyPort
	if scheme == "unix" {
		dir, err := os.MkdirTemp("", "rsocket") // a test's own is too long for a socket
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		address = "unix://" + filepath.Join(dir, "s")
	}
	var err error
	if scheme == "tls" || scheme == "wss" {
		l, err = rsocket.ListenTLS(t.Context(), address, certs.Server())
	} else {
		l, err = rsocket.Listen(t.Context(), address)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l, strings.Replace(address, anyPort, l.Addr().String(), 1)
}
