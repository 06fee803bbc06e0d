package java

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"warmline.dev/internal/await"
)

// proxy stands between the two ends and can cut their connection, keep what is
// sent on it, refuse new ones, or lead them elsewhere.
type proxy struct {
	l  net.Listener
	wg sync.WaitGroup

	fuse atomic.Int64 // bytes until the connection freezes; off when not positive

	// guarded by mu
	mu     sync.Mutex
	target string // "" refuses
	wires  []*wire
}

// wire is one connection.
type wire struct {
	client, server net.Conn
	freeze         func()        // may be called again
	answered       atomic.Bool   // the server has said something
	frozen, cut    chan struct{} // closed when it is
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{l: l, target: target}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.lead("")
		p.cut()
		within(t, "the proxy ends", func() bool { p.wg.Wait(); return true })
	})
	return p
}

func (p *proxy) port() int { return p.l.Addr().(*net.TCPAddr).Port }

func (p *proxy) accept() {
	for {
		client, err := p.l.Accept()
		if err != nil {
			return
		}
		if !p.connect(client) {
			_ = client.Close()
		}
	}
}

func (p *proxy) connect(client net.Conn) bool {
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
	p.wg.Go(func() { p.copy(w, server, client) })
	p.wg.Go(func() { p.copy(w, client, server) })
	return true
}

func (p *proxy) copy(w *wire, to, from net.Conn) {
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

// cut ends what connections there are, and what is on its way is lost.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.wires {
		_, _ = w.client.Close(), w.server.Close()
		close(w.cut)
	}
	p.wires = nil
}

// freeze keeps what is sent on the connections there are.
func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.wires {
		w.freeze()
	}
}

// freezeBehind freezes the connection that there is when so many more bytes have
// passed, and waits for that.
func (p *proxy) freezeBehind(t *testing.T, bytes int64, begin func()) {
	t.Helper()
	p.mu.Lock()
	w := p.wires[len(p.wires)-1]
	p.mu.Unlock()
	p.fuse.Store(bytes)
	begin()
	await.Value(t, "so many bytes pass", w.frozen)
}

// lead says where connections go from now on; "" closes them at once. It
// returns where they went before.
func (p *proxy) lead(target string) (before string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, p.target = p.target, target
	return before
}

// resumed waits until the server has answered on a connection: it has taken it
// for the one that was lost.
//
// A server of rsocket-java looks at a RESUME as late as it may, even if its
// connection is gone by then and another one has taken over. Then it may find
// that frames are missing, and gives the session up.
func (p *proxy) resumed(t *testing.T) {
	t.Helper()
	await.Until(t, "the connection is resumed", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.wires) > 0 && p.wires[len(p.wires)-1].answered.Load()
	})
}
