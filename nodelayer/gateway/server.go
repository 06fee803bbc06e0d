package gateway

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/rs/zerolog"

	"warmline.dev/passport"
	"warmline.dev/passport/device"
	"warmline.dev/protocol"
	"warmline.dev/protocol/peers"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/composite"
	"warmline.dev/protocol/rsocket/frame"
)

// Mint decides whom a device request is made for. The gateway fills in Issued,
// Expires, Audience, Origin and Device. It may set headers of the answer, a cookie say, and
// must write nothing else. An error that is or wraps a *[protocol.Error] decides the
// status that the device sees.
type Mint func(w http.ResponseWriter, r *http.Request) (passport.Passport, error)

// Config is how a gateway behaves. 0 is the default.
type Config struct {
	// Name and Version are the gateway's own. Defaults "gateway" and "0.0.0".
	Name, Version string
	// Keys seal the passports. Required.
	Keys *passport.Keyring
	// Mint decides whom a request is made for. Default: anonymous.
	Mint Mint
	// OnPassport is told when services have changed the passport of a request, with
	// who did, before the answer is written, so that it can set headers. Optional.
	OnPassport func(w http.ResponseWriter, r *http.Request, h passport.History)
	// Devices says what kind of device is asking, by its headers ESN and User-Agent: in
	// every line of the log, and in the passport. Default: as it is built in.
	Devices *device.Devices
	// PassportTTL is how long a passport is good for. Default 5 minutes.
	PassportTTL time.Duration
	// Budget is the time for one device request. Default 2 s; then it is a 504.
	Budget time.Duration
	// MaxBody bounds a request's body, in bytes. Default 64 KiB; then it is a 413.
	MaxBody int64
	// Peers are those that may offer adapters, and which: a line is refused before its
	// first request if it is nobody's or offers what its peer may not. Default: nobody
	// is asked who they are.
	Peers *peers.Peers
	// RSocket bounds the lines of adapters.
	RSocket rsocket.Config
	// Log gets one line per device request. The zero value is silent.
	Log zerolog.Logger
}

// Server is a gateway. Make it with [New]. All methods are safe for concurrent use.
type Server struct {
	cfg    Config
	table  table
	rs     *rsocket.Server
	counts counts

	entering sync.Mutex     // so that no adapter comes while peers are looked at
	leaving  sync.WaitGroup // who sees lines off
}

// ErrServerClosed is returned by [Server.ServeLines] after Shutdown or Close.
var ErrServerClosed = rsocket.ErrServerClosed

// New makes a gateway, or says what is wrong with cfg.
func New(cfg Config) (*Server, error) {
	if cfg.Keys == nil {
		return nil, fmt.Errorf("gateway: Keys are required")
	}
	if cfg.PassportTTL < 0 || cfg.Budget < 0 || cfg.MaxBody < 0 {
		return nil, fmt.Errorf("gateway: PassportTTL %v, Budget %v, MaxBody %d: expected positive values", cfg.PassportTTL, cfg.Budget, cfg.MaxBody)
	}
	if cfg.Name == "" {
		cfg.Name = "gateway"
	}
	if cfg.Version == "" {
		cfg.Version = "0.0.0"
	}
	if cfg.Mint == nil {
		cfg.Mint = func(http.ResponseWriter, *http.Request) (passport.Passport, error) { return passport.Passport{}, nil }
	}
	if cfg.Devices == nil {
		var err error
		if cfg.Devices, err = device.New(device.Config{}); err != nil {
			return nil, fmt.Errorf("gateway: %w", err)
		}
	}
	if cfg.PassportTTL == 0 {
		cfg.PassportTTL = 5 * time.Minute
	}
	if cfg.Budget == 0 {
		cfg.Budget = 2 * time.Second
	}
	if cfg.MaxBody == 0 {
		cfg.MaxBody = 64 << 10
	}
	s := &Server{cfg: cfg}
	var err error
	s.rs, err = rsocket.NewServer(s.accept, cfg.RSocket)
	return s, err
}

// Adapters are the adapters that are here: versions by app, highest first.
func (s *Server) Adapters() map[string][]string { return s.table.list() }

// ServeLines accepts lines of adapters from l until the server is closed, and
// then returns [ErrServerClosed]. It closes l.
func (s *Server) ServeLines(l net.Listener) error { return s.rs.Serve(l) }

// Shutdown ends the lines of adapters gracefully, within ctx, and returns when
// all goroutines have ended. The HTTP server in front is its owner's to shut
// down, first.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.leaving.Wait()
	return s.rs.Shutdown(ctx)
}

// Close ends the lines at once.
func (s *Server) Close() error {
	defer s.leaving.Wait()
	return s.rs.Close()
}

var validApp = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// accept takes an adapter's line into the table.
func (s *Server) accept(_ context.Context, conn *rsocket.Conn) (rsocket.Handler, error) {
	a, err := s.negotiate(conn)
	if err == nil {
		err = s.enter(a)
	}
	if err != nil {
		s.cfg.Log.Info().Stringer("peer", conn.RemoteAddr()).Stringer("code", err.Code).Str("reason", protocol.RefusalText(err.Message)).Msg("line refused")
		return rsocket.Handler{}, err
	}
	context.AfterFunc(conn.Context(), func() {
		s.table.remove(a)
		s.cfg.Log.Info().Stringer("adapter", a).Msg("adapter gone")
	})
	s.cfg.Log.Info().Stringer("adapter", a).Msg("adapter here")
	return rsocket.Handler{Response: func(_ context.Context, p rsocket.Payload) (rsocket.Payload, error) {
		return s.welcome(a, p)
	}}, nil
}

func (s *Server) negotiate(conn *rsocket.Conn) (*adapter, *rsocket.Error) {
	setup := conn.Setup()
	codec, err := protocol.CodecFor(setup.DataMIME)
	if err == nil && setup.MetadataMIME != composite.MIME {
		err = fmt.Errorf("metadata MIME type %q: expected %s", setup.MetadataMIME, composite.MIME)
	}
	if err != nil {
		return nil, &rsocket.Error{Code: frame.CodeUnsupportedSetup, Message: err.Error()}
	}
	if _, refusal := s.identify(conn); refusal != nil { // who is nobody learns nothing else
		return nil, &rsocket.Error{Code: frame.CodeRejectedSetup, Message: refusal.JSON()}
	}
	hello, err := protocol.ParseHello(codec, setup.Payload.Data)
	if err != nil {
		return nil, &rsocket.Error{Code: frame.CodeInvalidSetup, Message: err.Error()}
	}
	if refusal := hello.CheckProtocol(); refusal != nil {
		return nil, &rsocket.Error{Code: frame.CodeRejectedSetup, Message: refusal.JSON()}
	}
	if len(hello.Offers) != 1 {
		return nil, refused("a line to a gateway offers one adapter, this one offers %d", len(hello.Offers))
	}
	for name, version := range hello.Offers {
		v, err := semver.StrictNewVersion(version)
		if err != nil || !validApp.MatchString(name) {
			return nil, refused("offers %q %q: expected a name of lower-case letters, digits and '-', and a version such as 2.1.3", name, version)
		}
		return &adapter{name: name, version: v, conn: conn, codec: codec}, nil
	}
	return nil, nil // not reached: there is one offer
}

func refused(format string, args ...any) *rsocket.Error {
	r := protocol.Refusal{Code: protocol.InvalidArgument, Message: fmt.Sprintf(format, args...)}
	return &rsocket.Error{Code: frame.CodeRejectedSetup, Message: r.JSON()}
}

// welcome answers the one request that an adapter makes.
func (s *Server) welcome(a *adapter, p rsocket.Payload) (rsocket.Payload, error) {
	md, err := protocol.ParseMetadata(p.Metadata)
	if err != nil {
		return rsocket.Payload{}, protocol.Errorf(protocol.InvalidArgument, "%w", err).Frame()
	}
	if md.Route != protocol.RouteSetup {
		return rsocket.Payload{}, protocol.Errorf(protocol.UnknownMethod, "a gateway answers %s", protocol.RouteSetup).Frame()
	}
	data, err := a.codec.Marshal(protocol.Welcome{Name: s.cfg.Name, Version: s.cfg.Version, Protocol: protocol.Version, Resolved: map[string]string{}})
	return rsocket.Payload{Data: data}, err
}
