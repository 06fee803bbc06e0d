// Package cut has a proxy for tests that stands between the two ends of a
// connection: it cuts the connection, keeps what is sent on it, refuses new
// ones, or leads them elsewhere.
package cut

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"warmline.dev/internal/await"
)

// Proxy passes the connections that are made to it on to a target.
type Proxy struct {
	l  net.Listener
	wg sync.WaitGroup

	fuse atomic.Int64 // bytes until the connection freezes; off when not positive

	// guarded by mu
	mu     sync.Mutex
	target string  // host:port; "" refuses
	wires  []*wire // since the last cut
	times  int
}

// wire is one connection.
type wire struct {
	client, server net.Conn
	freeze         func()        // may be called again
	answered       atomic.Bool   // the server has said something
	frozen, cut    chan struct{} // closed when it is
}

// New starts a proxy, until the test ends. Target is host:port; "" refuses
// connections until [Proxy.Lead] or [Proxy.Before] says where they go.
func New(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{l: l, target: target}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close() // ends accept
		p.Lead("")
		p.Cut()
		p.wg.Wait()
	})
	return p
}

// Before leads connections to an address, scheme://host:port and what may
// follow, and returns the address to connect to instead.
func (p *Proxy) Before(t testing.TB, address string) string {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p.Lead(at.Host)
	at.Host = p.l.Addr().String()
	return at.String()
}

// Port is where it listens, on 127.0.0.1.
func (p *Proxy) Port() int { return p.l.Addr().(*net.TCPAddr).Port }

// Lead says where connections go from now on; "" closes them at once. It
// returns where they went before.
func (p *Proxy) Lead(target string) (before string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, p.target = p.target, target
	return before
}

// Times is how many connections it has passed on.
func (p *Proxy) Times() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.times
}

// Cut ends what connections there are, and what is on its way is lost.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.wires {
		_, _ = w.client.Close(), w.server.Close() // either may have been closed
		close(w.cut)
	}
	p.wires = nil
}

// Freeze keeps what is sent on the connections there are, and that they end.
func (p *Proxy) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.wires {
		w.freeze()
	}
}

// FreezeBehind freezes the connection that there is when so many more bytes have
// passed, and waits for that.
func (p *Proxy) FreezeBehind(t testing.TB, bytes int64, begin func()) {
	t.Helper()
	p.mu.Lock()
	w := p.wires[len(p.wires)-1]
	p.mu.Unlock()
	p.fuse.Store(bytes)
	begin()
	await.Value(t, "so many bytes pass", w.frozen)
}

// Answered waits for a connection since the last cut on which the server has
// said something.
func (p *Proxy) Answered(t testing.TB) {
	t.Helper()
	await.Until(t, "the server answers", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.wires) > 0 && p.wires[len(p.wires)-1].answered.Load()
	})
}

func (p *Proxy) accept() {
	for {
		client, err := p.l.Accept()
		if err != nil {
			return
		}
		if !p.connect(client) {
			_ = client.Close() // which tells it
		}
	}
}

func (p *Proxy) connect(client net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.target == "" {
		return false
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return false
	}
	w := &wire{client: client, server: server, frozen: make(chan struct{}), cut: make(chan struct{})}
	w.freeze = sync.OnceFunc(func() { close(w.frozen) })
	p.wires = append(p.wires, w)
	p.times++
	p.wg.Go(func() { p.copy(w, server, client) })
	p.wg.Go(func() { p.copy(w, client, server) })
	return true
}

func (p *Proxy) copy(w *wire, to, from net.Conn) {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if from == w.server && n > 0 {
			w.answered.Store(true)
		}
		if left := p.fuse.Add(int64(-n)); left <= 0 && left+int64(n) > 0 {
			w.freeze()
		}
		select {
		case <-w.frozen:
			<-w.cut
		default:
		}
		if _, e := to.Write(b[:n]); err != nil || e != nil {
			_ = to.Close() // an end that closes means the whole connection
			return
		}
	}
}
