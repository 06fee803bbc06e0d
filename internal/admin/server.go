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

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/net/netutil"
)

const (
	maxConns      = 256
	maxHeader     = 16 << 10
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 30 * time.Second
	idleTimeout   = time.Minute
)

// Config is where a port is.
type Config struct {
	// Address is HOST:PORT; port 0 takes a free one. Default [DefaultEdge] for an edge,
	// [DefaultGateway] for a gateway. Requests may name HOST, besides localhost and IP
	// addresses.
	Address string
	// TLS has the port speak it. Default: it goes without.
	TLS *tls.Config
	// Log gets a line for each request that changes something, and one if the port
	// fails. The zero value is silent.
	Log zerolog.Logger
}

// tier is what a port shows and does besides what every port does.
type tier struct {
	name    string // in what the port says
	figures prometheus.Collector
	routes  []route
}

// route is a path of one tier alone.
type route struct {
	pattern string // "POST /invalidate"
	about   string // in a line
	handler http.Handler
}

// Server is the port. Make it with [StartEdge] or [StartGateway]. All methods are safe
// for concurrent use.
type Server struct {
	cfg   Config
	tier  tier
	at    string
	web   *http.Server
	ready readiness

	cancel context.CancelFunc // ends the context of every request
	served chan struct{}      // closed when the accept loop has returned
	conns  sync.WaitGroup
}

// start listens and serves, or says why it can't. ctx bounds the listening alone. The
// Address is not empty.
func start(ctx context.Context, cfg Config, t tier) (*Server, error) {
	if _, _, err := net.SplitHostPort(cfg.Address); err != nil {
		return nil, fmt.Errorf("admin: address %q: expected HOST:PORT such as %s: %w", cfg.Address, DefaultEdge, err)
	}
	s := &Server{cfg: cfg, tier: t, served: make(chan struct{})}
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
		cfg.Log.Warn().Str("address", s.at).Msg("the admin port is not on loopback alone, and tells everybody its figures: keep it on a private network")
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
