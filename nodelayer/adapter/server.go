package adapter

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/rs/zerolog"

	"warmline.dev/nodelayer"
	"warmline.dev/nodelayer/internal/line"
	"warmline.dev/passport"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// Config is an adapter and the gateways it is offered to.
type Config struct {
	// Name is the app that devices ask for: "tv". Version is semver. Required.
	Name, Version string
	// Handler answers device requests. Paths begin behind the app: "/home". Required.
	Handler http.Handler
	// Gateways are the addresses to dial, tcp://HOST:PORT and the like. At least one.
	Gateways []string
	// KeepAlive is the interval of keepalives; a line that is silent for three of
	// them counts as lost. Default 10 s.
	KeepAlive time.Duration
	// MaxBody bounds a response's body, in bytes. Default 4 MiB; what is larger
	// becomes a 500.
	MaxBody int
	// Credentials are how it proves who it is, to gateways that ask. Default: not at
	// all.
	Credentials nodelayer.Credentials
	// RSocket bounds the lines.
	RSocket rsocket.Config
	// Log is told of lines lost and found, and of handlers that panic. The zero
	// value is silent.
	Log zerolog.Logger
}

// Server offers one adapter to gateways. Make it with [Serve].
type Server struct {
	cfg   Config
	lines []*line.Keeper
}

// Serve dials all gateways and returns when a line to each stands. A gateway
// that can't be reached is tried again until ctx ends; one that refuses gives a
// *[nodelayer.RefusedError]. Lines that break later are dialled again. The caller
// ends it with Shutdown.
func Serve(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.Name == "" || cfg.Handler == nil || len(cfg.Gateways) == 0 {
		return nil, errors.New("adapter: Name, Handler and Gateways are required")
	}
	if _, err := semver.StrictNewVersion(cfg.Version); err != nil {
		return nil, fmt.Errorf("adapter %s: version %q: %w, expected something like 2.1.3", cfg.Name, cfg.Version, err)
	}
	if cfg.MaxBody < 0 {
		return nil, fmt.Errorf("adapter %s: MaxBody is %d, expected a positive number", cfg.Name, cfg.MaxBody)
	}
	if cfg.MaxBody == 0 {
		cfg.MaxBody = 4 << 20
	}
	s := &Server{cfg: cfg}
	for _, address := range cfg.Gateways {
		k, err := line.Keep(ctx, line.Target{
			Address: address,
			Hello: protocol.Hello{
				Name: cfg.Name, Version: cfg.Version, Protocol: protocol.Range,
				Offers: map[string]string{cfg.Name: cfg.Version},
			},
			Handler: rsocket.Handler{Response: s.answer},
			RSocket: cfg.RSocket, Credentials: cfg.Credentials,
			KeepAlive: cfg.KeepAlive,
		}, cfg.Log)
		if err != nil {
			done, cancel := context.WithCancel(ctx)
			cancel()
			_ = s.Shutdown(done) // the first error is the one to tell
			return nil, fmt.Errorf("adapter %s: gateway %w", cfg.Name, err)
		}
		s.lines = append(s.lines, k)
	}
	return s, nil
}

// Shutdown tells the gateways, lets device requests under way finish until ctx
// ends, and returns when all goroutines have ended.
func (s *Server) Shutdown(ctx context.Context) error {
	errs := make([]error, len(s.lines))
	var wg sync.WaitGroup
	for i, k := range s.lines {
		wg.Go(func() { errs[i] = k.Shutdown(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// answer serves one device request from a gateway.
func (s *Server) answer(ctx context.Context, request rsocket.Payload) (rsocket.Payload, error) {
	md, err := protocol.ParseMetadata(request.Metadata)
	if err != nil {
		return rsocket.Payload{}, protocol.Errorf(protocol.InvalidArgument, "%w", err).Frame()
	}
	if md.Route != protocol.RouteDevice {
		return rsocket.Payload{}, protocol.Errorf(protocol.UnknownMethod, "%q: an adapter answers %s", md.Route, protocol.RouteDevice).Frame()
	}
	var in protocol.DeviceRequest
	if err := protocol.MsgPack.Unmarshal(request.Data, &in); err != nil {
		return rsocket.Payload{}, protocol.Errorf(protocol.InvalidArgument, "the device request: %w", err).Frame()
	}
	if md.Budget > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, md.Budget)
		defer cancel()
	}
	carrier := passport.NewCarrier(md.Passport)
	var timings nodelayer.Timings
	ctx = nodelayer.WithTimings(passport.NewContext(protocol.WithTraceparent(ctx, md.Traceparent), carrier), &timings)

	out := s.serve(ctx, &in)
	out.Calls, out.Conversations = timings.Calls(), timings.Conversations()
	data, err := protocol.MsgPack.Marshal(out)
	if err != nil {
		return rsocket.Payload{}, err
	}
	reply := rsocket.Payload{Data: data}
	if carrier.Changed() {
		reply.Metadata = (&protocol.Metadata{Passport: carrier.Sealed()}).Append(nil)
	}
	return reply, nil
}
