package link

import (
	"context"
	"net"
	"sync"
	"time"
)

// Link is a proxy that takes its time. Its methods are safe for concurrent use.
type Link struct {
	// immutable
	cfg       Config
	queue     *queue
	listeners []net.Listener
	dialer    net.Dialer
	ctx       context.Context // ends with Close
	cancel    context.CancelFunc

	wg sync.WaitGroup // of all goroutines

	mu     sync.Mutex
	conns  map[*connection]struct{} // guarded by mu
	closed bool                     // guarded by mu
}

// New starts a link, with an address on loopback for each target.
func New(cfg Config) (*Link, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	l := &Link{cfg: cfg, queue: newQueue(cfg.OneWay), dialer: net.Dialer{Timeout: longest}, conns: map[*connection]struct{}{}}
	for range cfg.To {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			l.stopListening()
			return nil, err
		}
		l.listeners = append(l.listeners, listener)
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	for i, to := range cfg.To {
		l.wg.Go(func() { l.accept(l.listeners[i], to) })
	}
	l.wg.Go(l.queue.run)
	return l, nil
}

// Addresses are the link's own, HOST:PORT, one for each target and in their order.
func (l *Link) Addresses() []string {
	var addresses []string
	for _, listener := range l.listeners {
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses
}

// Late is how late everything has been since it was last asked for.
func (l *Link) Late() Late { return l.queue.late.take() }

// Close resets all connections, drops what is on its way, and returns when all is
// over, after [Config].OneWay at the latest. It may be called twice; its error is nil.
func (l *Link) Close() error {
	l.stopListening()
	l.cancel()
	l.mu.Lock()
	l.closed = true
	var conns []*connection
	for c := range l.conns {
		conns = append(conns, c)
	}
	l.mu.Unlock()
	for _, c := range conns {
		c.reset()
	}
	l.queue.close()
	l.wg.Wait()
	return nil
}

func (l *Link) stopListening() {
	for _, listener := range l.listeners {
		_ = listener.Close() // it may have been closed before
	}
}

// accept takes connections until the listener is closed.
func (l *Link) accept(listener net.Listener, to string) {
	for l.ctx.Err() == nil {
		conn, err := listener.Accept()
		if err != nil {
			const breath = 10 * time.Millisecond // out of files, or closed
			time.Sleep(breath)
			continue
		}
		c := &connection{link: l, near: conn.(*net.TCPConn), to: to}
		if !l.remember(c) {
			_ = conn.Close()
			return
		}
		// There, where the target answers, and back.
		l.queue.later(func() { l.queue.later(func() { l.wg.Go(c.dial) }) })
	}
}

// remember keeps a connection for Close; false: it has been called.
func (l *Link) remember(c *connection) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.conns[c] = struct{}{}
	}
	return !l.closed
}

func (l *Link) forget(c *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}
