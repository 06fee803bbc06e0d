package rsocketgo

import (
	"context"
	"net/url"
	"path/filepath"
	"testing"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket"
)

// Whatever gives a net.Conn carries rsocket-go too: the engine's listeners, and
// its pipe.
func TestOtherTransports(t *testing.T) {
	s, err := NewServer(func(context.Context, *Conn) (rsocket.Handler, error) { return echo, nil }, rsocket.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // never fails
	for scheme, address := range map[string]string{
		"ws":   "ws://127.0.0.1:0/rsocket",
		"unix": "unix://" + filepath.Join(t.TempDir(), "s"),
	} {
		t.Run(scheme, func(t *testing.T) {
			l, err := rsocket.Listen(t.Context(), address)
			if err != nil {
				t.Fatal(err)
			}
			go func() { _ = s.Serve(l) }() // Close ends it
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			if u.Host != "" {
				u.Host = l.Addr().String()
			}
			theirs, err := rsocket.Dial(t.Context(), u.String(), rsocket.Setup{}, rsocket.Handler{}, rsocket.Config{})
			if err != nil {
				t.Fatal(err)
			}
			wantAnswer(t, theirs)
			_ = theirs.Close() // never fails
			if scheme != "unix" {
				return
			}
			ours, err := Dial(t.Context(), u.String(), rsocket.Setup{}, rsocket.Handler{}, rsocket.Config{})
			if err != nil {
				t.Fatal(err)
			}
			wantAnswer(t, ours)
			_ = ours.Close() // never fails
		})
	}
	t.Run("pipe", func(t *testing.T) {
		near, far := rsocket.Pipe()
		served := make(chan struct{})
		go func() { defer close(served); s.ServeConn(far) }()
		c, err := Client(near, rsocket.Setup{}, rsocket.Handler{}, rsocket.Config{})
		if err != nil {
			t.Fatal(err)
		}
		wantAnswer(t, c)
		if err := c.Shutdown(await.Context(t)); err != nil {
			t.Error(err)
		}
		await.Value(t, "the end of ServeConn", served)
	})
}
