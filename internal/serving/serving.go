// Package serving is how tests run a server: at a port of its own, until the
// test ends.
package serving

import (
	"errors"
	"net"
	"testing"

	"warmline.dev/protocol/rsocket"
)

// Start has a server serve at a free port and returns the address, tcp://HOST:PORT.
// At the end of the test it closes the server and waits until serve has returned,
// which must be with [rsocket.ErrServerClosed], as the layers' servers return it too.
// A test may close or shut down the server before.
func Start(t testing.TB, serve func(net.Listener) error, closeServer func() error) (address string) {
	t.Helper()
	l, err := rsocket.Listen(t.Context(), "tcp://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- serve(l) }()
	t.Cleanup(func() {
		if err := closeServer(); err != nil {
			t.Errorf("Close returned %v", err)
		}
		if err := <-ended; !errors.Is(err, rsocket.ErrServerClosed) {
			t.Errorf("Serve returned %v, want ErrServerClosed", err)
		}
	})
	return "tcp://" + l.Addr().String()
}
