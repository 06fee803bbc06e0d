package admin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/net/netutil"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/protocol/peers"
)

// DefaultAddress is where the port is, unless it is told otherwise.
const DefaultAddress = "127.0.0.1:7071"

const (
	maxConns      = 256
	maxHeader     = 16 << 10
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 30 * time.Second
	idleTimeout   = time.Minute
)

// Config is what the port shows and does. Its functions are called by many at once.
type Config struct {
	// Address is HOST:PORT; port 0 takes a free one. Default [DefaultAddress].
	// Requests may name HOST, besides localhost and IP addresses.
	Address string
	// TLS has the port speak it. Default: it goes without.
	TLS *tls.Config
	// Peers are who may have what is warm dropped, if they operate: who they are is told
	// by a client certificate, or a token as Authorization: Bearer. Default: everybody.
	Peers *peers.Peers
	// Stats gives the edge's figures, at each scrape. Required.
	Stats func() edgelayer.Stats
	// Bus says whether the bus is there, and since when it is or is not; the zero
	// time: since the start. Default: there is no bus, and nothing is said of it.
	Bus func() (connected bool, since time.Time)
	// Invalidate drops what has changed, here and at the other edges. An error says
	// that these have not been told; what the Result says was dropped here
	// nonetheless. It is called for sources that are in Stats, and must return when
	// its context ends. Required.
	Invalidate func(ctx context.Context, i warm.Invalidation) (Result, error)
	// Log gets a line for each invalidation, and one if the port fails. The zero
	// value is silent.
	Log zerolog.Logger
}

// Server is the port. Make it with [Start]. All methods are safe for concurrent use.
type Server struct {
	cfg   Config
	at    string
	web   *http.Server
	ready readiness

	cancel context.CancelFunc // ends the context of every request
	served chan struct{}      // closed when the accept loop has returned
	conns  sync.WaitGroup
}

// Start listens and serves, or says why it can't. ctx bounds the listening alone.
// The port is not ready until [Server.Ready]. The caller ends it with Shutdown.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.Address == "" {
		cfg.Address = DefaultAddress
	}
	if cfg.Stats == nil || cfg.Invalidate == nil {
		return nil, errors.New("admin: expected a Config with Stats and Invalidate")
	}
	if _, _, err := net.SplitHostPort(cfg.Address); err != nil {
		return nil, fmt.Errorf("admin: address %q: expected HOST:PORT such as %s: %w", cfg.Address, DefaultAddress, err)
	}
	s := &Server{cfg: cfg, served: make(chan struct{})}
	metrics, err := s.metrics()
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	s.at = l.Addr().String()
	if at, ok := l.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() {
		cfg.Log.Warn().Str("address", s.at).Msg("the admin port has no password and is not on loopback alone: keep it on a private network")
	}
	l = netutil.LimitListener(l, maxConns)
	if cfg.TLS != nil { // outermost: net/http looks for it
		l = tls.NewListener(l, cfg.TLS)
	}
	base, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.web = &http.Server{
		Handler: s.guard(s.paths(metrics)), BaseContext: func(net.Listener) context.Context { return base }, ConnState: s.count,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       stdlog.New(leveled{cfg.Log, zerolog.DebugLevel}, "", 0),
	}
	go s.serve(l)
	return s, nil
}

// Address is HOST:PORT, with the port that it got.
func (s *Server) Address() string { return s.at }

// URL is what to ask, http://HOST:PORT or https://HOST:PORT.
func (s *Server) URL() string {
	if s.cfg.TLS != nil {
		return "https://" + s.at
	}
	return "http://" + s.at
}

// Shutdown is not ready any more, takes no more requests, lets those under way
// finish and returns when all goroutines have ended. When ctx ends first it closes
// what is left and returns the error of ctx. It may be called twice.
func (s *Server) Shutdown(ctx context.Context) error {
	s.ready.stopping()
	err := s.web.Shutdown(ctx)
	if err != nil {
		err = fmt.Errorf("admin: %w", errors.Join(err, s.web.Close())) // Shutdown leaves open what did not finish
	}
	s.cancel() // net/http sees a connection end only while nothing waits to be read from it
	<-s.served
	s.conns.Wait()
	return err
}

func (s *Server) serve(l net.Listener) {
	defer close(s.served)
	if err := s.web.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		s.cfg.Log.Error().Err(err).Msg("the admin port has failed")
	}
}

// count counts the connections' goroutines, which http.Server itself doesn't wait
// for. It reports a new connection before Serve can return: nothing is added once
// served is closed.
func (s *Server) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.conns.Add(1)
	case http.StateClosed:
		s.conns.Done()
	}
}

// leveled writes the lines of net/http and promhttp to the log.
type leveled struct {
	log   zerolog.Logger
	level zerolog.Level
}

func (l leveled) Write(line []byte) (int, error) {
	l.log.WithLevel(l.level).Msg(strings.TrimSpace(string(line)))
	return len(line), nil
}
