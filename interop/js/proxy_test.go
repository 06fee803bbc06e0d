package js

import (
	"net"
	"net/url"
	"sync"
	"testing"
)

// proxy passes connections on to one address, until it is told otherwise.
type proxy struct {
	l  net.Listener
	to string
	wg sync.WaitGroup

	// guarded by mu
	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	passed int           // connections so far
	held   chan struct{} // closed when nothing is passed on any more
	closed bool
}

// through is for terms.via: it starts p in front of an address.
func (p *proxy) through(t *testing.T, address string) string {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p.to, p.conns, p.held = at.Host, map[net.Conn]struct{}{}, make(chan struct{})
	if p.l, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	p.wg.Go(p.serve)
	t.Cleanup(func() {
		_ = p.l.Close() // ends serve
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		p.cut()
		p.wg.Wait()
	})
	at.Host = p.l.Addr().String()
	return at.String()
}

func (p *proxy) serve() {
	for {
		from, err := p.l.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", p.to)
		if err != nil {
			_ = from.Close() // which tells it
			continue
		}
		if !p.add(from, to) {
			return
		}
		p.wg.Go(func() { p.pass(from, to) })
		p.wg.Go(func() { p.pass(to, from) })
	}
}

func (p *proxy) add(ends ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range ends {
		if p.closed {
			_ = c.Close() // the test is over
			continue
		}
		p.conns[c] = struct{}{}
	}
	p.passed++
	return !p.closed
}

// pass copies until either end closes. What is read while held is swallowed, the end too.
func (p *proxy) pass(from, to net.Conn) {
	b := make([]byte, 1<<16)
	for {
		n, err := from.Read(b)
		select {
		case <-p.held:
			if err == nil {
				continue
			}
			return
		default:
		}
		if n > 0 {
			_, _ = to.Write(b[:n]) // an end that is gone ends the other copy
		}
		if err != nil {
			_ = to.Close() // it may have been closed
			return
		}
	}
}

// cut ends the connections that stand.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close() // either may have been closed
	}
}

// hold lets the connections stand and passes nothing on any more.
func (p *proxy) hold() { close(p.held) }
