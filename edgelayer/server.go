package edgelayer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/edgelayer/source"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/passport"
	"warmline.dev/protocol"
	"warmline.dev/protocol/peers"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/composite"
	"warmline.dev/protocol/rsocket/frame"
)

// Config is what an edge offers and within which bounds. 0 is the default.
type Config struct {
	// Name and Version are the edge's own. Defaults "edge" and "0.0.0".
	Name, Version string
	// Services are what it offers. A service "edge" with the method "stats" is
	// always there besides.
	Services []Service
	// Keys open and seal passports. Without, methods that need one are refused.
	Keys *passport.Keyring
	// Own are methods of the service "edge" besides stats: what edges ask one
	// another. With Peers they are for those that hand over.
	Own []Method
	// Peers are those that may dial, and what they may call: a line is refused before
	// its first request if it is nobody's or wants what its peer may not call. One that
	// says nothing of what it wants has what it may call. Default: nobody is asked who
	// they are.
	Peers *peers.Peers
	// Figures gives those of the caches and sources behind the services, by name,
	// for edge.stats. Default: none.
	Figures func() (caches map[string]warm.Stats, sources map[string]source.Stats)

	// MaxMessage bounds one message, in bytes. Default 1 MiB. A call that is
	// larger, or whose result is, fails as too large; the conversation goes on.
	MaxMessage int
	// MaxCalls bounds the calls of one conversation that run at once. Default 64.
	// One more fails as overloaded.
	MaxCalls int
	// MaxAtOnce bounds the calls that run at once, of all conversations. The limit
	// itself is measured: it lies between 64 for each processor and this. Beyond it
	// new conversations and single calls are refused as overloaded, before any work,
	// and calls of conversations under way run. A call that waits for a source (package
	// source, or what package warm loads) does not count meanwhile. Default 10,000; negative: no limit.
	MaxAtOnce int
	// MaxView bounds what is kept for one conversation, in bytes: what it has read,
	// and what its calls may refer to. Default 16 MiB. A call whose result does not
	// fit any more fails as too large.
	MaxView int
	// MaxBudget bounds the time of a conversation or a single call, whatever
	// budget comes with it. Default 30 s.
	MaxBudget time.Duration
	// RSocket bounds the lines themselves. Its MaxFrame and MaxPayload default to
	// four messages, and its leases, for peers that ask for them, to what the edge
	// carries: all that a peer likes, or its share of that while there is too much.
	RSocket rsocket.Config
	// Log gets a line for each setup that was refused and each line that was
	// closed because of what the peer sent. The zero value is silent.
	Log zerolog.Logger
}

// Server accepts lines and answers calls. Make it with [New].
type Server struct {
	cfg     Config
	rs      *rsocket.Server
	started time.Time
	load    *overload

	mu sync.Mutex
	// guarded by mu
	offer   *offer
	open    map[*line]struct{}
	telling sync.WaitGroup // goroutines that tell lines of another offer

	conversations          atomic.Int64 // open now
	lines, calls, failures atomic.Int64 // since the start, but lines: open now
	references, viewHits   atomic.Int64
}

// countFailed counts a call that has failed.
func (s *Server) countFailed(err error) {
	if err != nil {
		s.failures.Add(1)
	}
}

// ErrServerClosed is returned by [Server.Serve] after Shutdown or Close.
var ErrServerClosed = rsocket.ErrServerClosed

// New makes a server, or says what is wrong with cfg.
func New(cfg Config) (*Server, error) {
	if cfg.Name == "" {
		cfg.Name = "edge"
	}
	if cfg.Version == "" {
		cfg.Version = "0.0.0"
	}
	for name, f := range map[string]*int{"MaxMessage": &cfg.MaxMessage, "MaxCalls": &cfg.MaxCalls, "MaxView": &cfg.MaxView} {
		if *f < 0 {
			return nil, fmt.Errorf("edgelayer: %s is %d, expected a positive number", name, *f)
		}
	}
	if cfg.MaxBudget < 0 {
		return nil, fmt.Errorf("edgelayer: MaxBudget is %v, expected a positive time", cfg.MaxBudget)
	}
	if cfg.MaxMessage == 0 {
		cfg.MaxMessage = 1 << 20
	}
	if cfg.MaxCalls == 0 {
		cfg.MaxCalls = 64
	}
	if cfg.MaxView == 0 {
		cfg.MaxView = 16 << 20
	}
	if cfg.MaxBudget == 0 {
		cfg.MaxBudget = 30 * time.Second
	}
	if cfg.RSocket.MaxFrame == 0 {
		cfg.RSocket.MaxFrame = min(4*cfg.MaxMessage, frame.MaxSize)
	}
	if cfg.RSocket.MaxPayload == 0 {
		cfg.RSocket.MaxPayload = 4 * cfg.MaxMessage
	}
	s := &Server{cfg: cfg, open: map[*line]struct{}{}, started: time.Now(), load: newOverload(cfg.MaxAtOnce)}
	var err error
	if s.offer, err = s.newOffer(cfg.Services); err != nil {
		return nil, err
	}
	if cfg.RSocket.LeaseRequests == 0 {
		ttl := cmp.Or(cfg.RSocket.LeaseTTL, leaseTTL)
		cfg.RSocket.LeaseRequests, cfg.RSocket.LeaseTTL = leaseMost, ttl
		cfg.RSocket.Leases = func() int { return s.load.lease(ttl, s.lines.Load()) }
	}
	s.rs, err = rsocket.NewServer(s.accept, cfg.RSocket)
	return s, err
}

// Serve accepts lines from l until the server is closed, and then returns
// [ErrServerClosed]. It closes l.
func (s *Server) Serve(l net.Listener) error { return s.rs.Serve(l) }

// Shutdown takes no new lines and conversations, lets those under way finish
// until ctx ends, and returns when all goroutines have ended.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.telling.Wait()
	return s.rs.Shutdown(ctx)
}

// Close ends all lines at once and returns when all goroutines have ended.
func (s *Server) Close() error {
	defer s.telling.Wait()
	return s.rs.Close()
}

// accept negotiates a line.
func (s *Server) accept(_ context.Context, conn *rsocket.Conn) (rsocket.Handler, error) {
	l, err := s.negotiate(conn)
	if err != nil {
		s.cfg.Log.Info().Stringer("peer", conn.RemoteAddr()).Stringer("code", err.Code).Str("reason", protocol.RefusalText(err.Message)).Msg("line refused")
		return rsocket.Handler{}, err
	}
	s.lines.Add(1)
	context.AfterFunc(conn.Context(), func() {
		s.lines.Add(-1)
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, l)
	})
	opened := s.cfg.Log.Debug().Stringer("peer", conn.RemoteAddr()).Str("name", l.hello.Name).Str("version", l.hello.Version)
	if peer := l.peer.Load(); peer != nil {
		opened = opened.Str("of", peer.Name)
	}
	opened.Msg("line open")
	return rsocket.Handler{Response: l.answer, Stream: l.stream, Channel: l.converse}, nil
}

func (s *Server) negotiate(conn *rsocket.Conn) (*line, *rsocket.Error) {
	setup := conn.Setup()
	codec, err := protocol.CodecFor(setup.DataMIME)
	if err != nil {
		return nil, &rsocket.Error{Code: frame.CodeUnsupportedSetup, Message: err.Error()}
	}
	if setup.MetadataMIME != composite.MIME {
		return nil, &rsocket.Error{Code: frame.CodeUnsupportedSetup, Message: fmt.Sprintf("metadata MIME type %q: expected %s", setup.MetadataMIME, composite.MIME)}
	}
	l := &line{s: s, conn: conn, codec: codec}
	refusal := l.identify()
	if refusal == nil { // who is nobody learns nothing else
		if l.hello, err = protocol.ParseHello(codec, setup.Payload.Data); err != nil {
			return nil, &rsocket.Error{Code: frame.CodeInvalidSetup, Message: err.Error()}
		}
		refusal = l.hello.CheckProtocol()
	}
	if refusal == nil {
		refusal = s.admit(l)
	}
	if refusal != nil {
		return nil, &rsocket.Error{Code: frame.CodeRejectedSetup, Message: refusal.JSON()}
	}
	return l, nil
}

// isMalformed reports whether err means that the peer sent what is no encoding
// of anything: its connection is closed.
func isMalformed(err error) bool { return errors.Is(err, protocol.ErrMalformed) }
