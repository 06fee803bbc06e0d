package accepted

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"warmline.dev/internal/await"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// conn is a connection that tells how it was ended.
type conn struct{ ended chan string }

func (c *conn) Shutdown(context.Context) error { c.ended <- "shut down"; return nil }
func (c *conn) Close() error                   { c.ended <- "closed"; return nil }

// add adds a connection that is removed when it has been ended and may go.
func add(t *testing.T, s *Set[*conn], mayGo <-chan struct{}) *conn {
	t.Helper()
	c := &conn{ended: make(chan string, 1)}
	if !s.Add(c, 0, func() {
		go func() {
			how := <-c.ended
			<-mayGo
			c.ended <- how
			s.Remove(c)
		}()
	}) {
		t.Fatal("there is no room")
	}
	return c
}

func goneAtOnce() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func TestASetHoldsNoMoreThanItMay(t *testing.T) {
	s := New[*conn](2)
	first, second := add(t, s, goneAtOnce()), add(t, s, goneAtOnce())
	if s.Add(&conn{}, 0, func() { t.Error("it was started") }) {
		t.Error("a third was taken")
	}
	if conns := s.Conns(); len(conns) != 2 || !slices.Contains(conns, first) || !slices.Contains(conns, second) {
		t.Errorf("it holds %v", conns)
	}
	_ = first.Close()
	await.Until(t, "there is room again", func() bool { return len(s.Conns()) == 1 })
	add(t, s, goneAtOnce())
	s.Close()
	if conns := s.Conns(); len(conns) != 0 {
		t.Errorf("it holds %v", conns)
	}
}

func TestTheEndWaitsUntilAllHaveGone(t *testing.T) {
	for want, end := range map[string]func(s *Set[*conn]){
		"shut down": func(s *Set[*conn]) {
			ctx, cancel := context.WithCancel(context.Background())
			if cancel(); !errors.Is(s.Shutdown(ctx), context.Canceled) {
				t.Error("Shutdown does not tell that its context has ended")
			}
		},
		"closed": func(s *Set[*conn]) { s.Close(); s.Close() },
	} {
		s := New[*conn](2)
		mayGo := make(chan struct{})
		c, slow := add(t, s, goneAtOnce()), add(t, s, mayGo)
		ended := make(chan struct{})
		go func() { defer close(ended); end(s) }()
		await.Until(t, "one has gone", func() bool { return slices.Equal(s.Conns(), []*conn{slow}) })
		select {
		case <-ended:
			t.Error("it has not waited")
		default:
		}
		close(mayGo)
		await.Value(t, "the end", ended)
		for _, c := range []*conn{c, slow} {
			if how := <-c.ended; how != want {
				t.Errorf("%s, want %s", how, want)
			}
		}
		if s.Add(&conn{}, 0, func() { t.Error("it was started") }) {
			t.Error("one was taken after the end")
		}
	}
}

// listener accepts what it is given: an error, or nil for a connection.
type listener struct {
	net.Listener
	results chan error
	closed  chan struct{}
}

func newListener() *listener {
	return &listener{results: make(chan error), closed: make(chan struct{})}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case err := <-l.results:
		return nil, err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

func TestServeGoesOnUntilTheListenerFailsForGood(t *testing.T) {
	s, l := New[*conn](1), newListener()
	handled, failed := make(chan net.Conn), make(chan error, 1)
	go func() { failed <- s.Serve(l, func(nc net.Conn) { handled <- nc }) }()
	for _, err := range []error{nil, syscall.EMFILE, nil, os.ErrDeadlineExceeded, nil} {
		l.results <- err
		if err == nil {
			await.Value(t, "a connection", handled)
		}
	}
	l.results <- syscall.EBADF
	if err := await.Value(t, "the end of Serve", failed); !errors.Is(err, syscall.EBADF) {
		t.Errorf("got %v", err)
	}
	await.Value(t, "the listener's end", l.closed)
}

func TestServeEndsWithTheSet(t *testing.T) {
	s := New[*conn](1)
	listeners := []*listener{newListener(), newListener(), newListener()}
	served := make(chan error, len(listeners))
	for _, l := range listeners[:2] {
		go func() { served <- s.Serve(l, nil) }()
	}
	await.Until(t, "both are served", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.listeners) == 2
	})
	s.Close()
	served <- s.Serve(listeners[2], nil) // too late
	for _, l := range listeners {
		if err := await.Value(t, "the end of Serve", served); err != nil {
			t.Error(err)
		}
		await.Value(t, "the listener's end", l.closed)
	}
}
