package rsocket

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// Upgrade makes a WebSocket of an HTTP request, for [Server.ServeConn]: for a
// handler mounted on an HTTP server of one's own. When it returns an error it
// has answered the request. Where the request asks for the subprotocol
// "rsocket", it is agreed on; it need not.
//
// Browsers send the origin of the page that connects, and leave it to the server
// what that page may do: allow decides by the request. If it is nil, the origin
// must be the request's own host; requests without one, which come from no
// browser, are taken.
func Upgrade(w http.ResponseWriter, r *http.Request, allow func(r *http.Request) bool) (net.Conn, error) {
	if !websocket.IsWebSocketUpgrade(r) {
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
		http.Error(w, "this is RSocket over WebSocket: connect with a WebSocket client", http.StatusUpgradeRequired)
		return nil, fmt.Errorf("rsocket: %s %s: expected a request for a WebSocket", r.Method, r.URL.Path)
	}
	u := websocket.Upgrader{
		HandshakeTimeout: handshakeWait, Subprotocols: []string{subprotocol},
		WriteBufferPool: &idleBuffers, CheckOrigin: allow,
		Error: func(w http.ResponseWriter, r *http.Request, status int, reason error) {
			text := reason.Error()
			if status == http.StatusForbidden {
				text = fmt.Sprintf("the origin %q may not connect here", r.Header.Get("Origin"))
			}
			w.Header().Set("Sec-Websocket-Version", "13")
			http.Error(w, text, status)
		},
	}
	h := &hijacker{w, &wire{}}
	ws, err := u.Upgrade(h, r, nil)
	if err != nil {
		return nil, fmt.Errorf("rsocket: %w", err)
	}
	return h.wire.open(ws, false), nil
}

// hijacker puts a wire between package websocket and the connection.
type hijacker struct {
	http.ResponseWriter
	wire *wire // apart, so that the connection does not hold on to the request
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	h.wire.Conn = nc
	return h.wire, rw, err
}

const (
	handshakeWait    = 10 * time.Second // for an HTTP request, where no Config says how long
	maxRequestHeader = 16 << 10
)

// webSocketListener accepts what upgrades at its path. It is an HTTP server
// from its first Accept until Close.
type webSocketListener struct {
	inner net.Listener
	path  string

	wait     time.Duration // for the handshake; set before the first Accept
	most     int64         // connections that may be shaking hands
	shaking  atomic.Int64
	upgraded chan net.Conn
	done     chan struct{} // closed by Close, or when the server has failed

	wg sync.WaitGroup // the server, a count per connection until it is handed over

	// guarded by mu
	mu     sync.Mutex
	server *http.Server // nil until the first Accept
	closed bool
	err    error // why Accept fails
}

func newWebSocketListener(inner net.Listener, path string) *webSocketListener {
	l := &webSocketListener{inner: inner, path: path, upgraded: make(chan net.Conn), done: make(chan struct{})}
	l.Bound(defaults)
	return l
}

// Bound takes the limits of the server that accepts.
func (l *webSocketListener) Bound(cfg Config) {
	l.wait, l.most = max(cfg.FirstFrameTimeout, 0), int64(cfg.MaxConns)
}

// Accept returns the next connection that has shaken hands. One that nobody
// accepts is closed after as long as the handshake may take.
func (l *webSocketListener) Accept() (net.Conn, error) {
	l.start()
	select {
	case nc := <-l.upgraded:
		return nc, nil
	case <-l.done:
		l.mu.Lock()
		defer l.mu.Unlock()
		return nil, l.err
	}
}

func (l *webSocketListener) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.server != nil || l.closed {
		return
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	l.server = &http.Server{
		Handler: l, Protocols: &protocols, ConnState: l.connState,
		ReadHeaderTimeout: l.wait, ReadTimeout: l.wait, WriteTimeout: l.wait, // the TLS handshake, too
		MaxHeaderBytes: maxRequestHeader,
		ErrorLog:       log.New(io.Discard, "", 0), // it tells of peers that give up
	}
	l.server.SetKeepAlivesEnabled(false) // one request, and it is the last
	l.wg.Go(func() { l.end(l.server.Serve(l.inner)) })
}

// end makes Accept fail with err.
func (l *webSocketListener) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
		close(l.done)
	}
}

// Close stops listening, closes what has not been accepted and returns when no
// goroutine of the listener is left.
func (l *webSocketListener) Close() error {
	l.end(net.ErrClosed)
	l.mu.Lock()
	first, server := !l.closed, l.server
	l.closed = true
	l.mu.Unlock()
	err := net.ErrClosed
	if first {
		err = l.inner.Close()
		if server != nil {
			_ = server.Close() // the listener's error has been taken
		}
	}
	l.wg.Wait()
	return err
}

// Addr is the address of the socket.
func (l *webSocketListener) Addr() net.Addr { return l.inner.Addr() }

// connState counts the connections that are the HTTP server's.
func (l *webSocketListener) connState(nc net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		over := l.enter() > l.most
		select {
		case <-l.done: // Close may have missed it
			over = true
		default:
		}
		if over {
			_ = nc.Close() // to tell it anything would be to hold it
		}
	case http.StateHijacked, http.StateClosed:
		l.leave()
	}
}

func (l *webSocketListener) enter() int64 {
	l.wg.Add(1)
	return l.shaking.Add(1)
}

func (l *webSocketListener) leave() {
	l.shaking.Add(-1)
	l.wg.Done()
}

// ServeHTTP upgrades one connection and waits until it is accepted.
func (l *webSocketListener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.enter() // the server's own count ends with the upgrade
	defer l.leave()
	if r.URL.Path != l.path {
		http.Error(w, "there is no RSocket at this path", http.StatusNotFound)
		return
	}
	nc, err := Upgrade(w, r, nil)
	if err != nil {
		return // it has been answered
	}
	var late <-chan time.Time
	if l.wait > 0 {
		t := time.NewTimer(l.wait)
		defer t.Stop()
		late = t.C
	}
	select {
	case l.upgraded <- nc:
	case <-l.done:
		_ = nc.Close() // nobody has it
	case <-late:
		_ = nc.Close()
	}
}
