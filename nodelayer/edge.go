package nodelayer

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/nodelayer/internal/line"
	"warmline.dev/passport"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// Config says which edge to dial, as whom, and for which services.
type Config struct {
	// Address of the edge, as rsocket.CheckAddress takes it: tcp://HOST:PORT, say. Required.
	Address string
	// Name and Version are the adapter's, told in SETUP.
	Name, Version string
	// Wants maps a service to a semver range. Empty: the highest stable version
	// of everything.
	Wants map[string]string
	// MaxMessage bounds the message of a call, in bytes. Default 1 MiB, which is what
	// an edge takes by default.
	MaxMessage int
	// KeepAlive is the interval of keepalives; a line that is silent for three of
	// them counts as lost. Default 10 s.
	KeepAlive time.Duration
	// RSocket bounds the line.
	RSocket rsocket.Config
	// Log is told of lines lost and found. The zero value is silent.
	Log zerolog.Logger
}

// RefusedError is returned by [Dial] when the edge refuses the line, for example
// because a want has no version that satisfies it.
type RefusedError = line.RefusedError

// Edge is the edge as a node reaches it. It keeps a line open and dials again
// when that breaks. All methods are safe for concurrent use.
type Edge struct {
	cfg  Config
	line *line.Keeper
}

// Dial opens a line and returns when it stands. An edge that can't be reached is
// tried again until ctx ends; one that refuses gives a *[RefusedError] at once.
// The caller ends it with Shutdown or Close.
func Dial(ctx context.Context, cfg Config) (*Edge, error) {
	if cfg.MaxMessage < 0 {
		return nil, fmt.Errorf("nodelayer: MaxMessage is %d, expected a positive number", cfg.MaxMessage)
	}
	if cfg.MaxMessage == 0 {
		cfg.MaxMessage = 1 << 20
	}
	cfg.Wants = maps.Clone(cfg.Wants)
	k, err := line.Keep(ctx, line.Target{
		Address:   cfg.Address,
		Hello:     protocol.Hello{Name: cfg.Name, Version: cfg.Version, Protocol: protocol.Range, Wants: cfg.Wants},
		RSocket:   cfg.RSocket,
		KeepAlive: cfg.KeepAlive,
	}, cfg.Log)
	if err != nil {
		return nil, fmt.Errorf("nodelayer: edge %w", err)
	}
	return &Edge{cfg: cfg, line: k}, nil
}

// Resolved are the versions that the line has resolved to, by service; nil while
// there is no line.
func (e *Edge) Resolved() map[string]string {
	if l := e.line.Line(); l != nil {
		return maps.Clone(l.Welcome.Resolved)
	}
	return nil
}

// Shutdown lets conversations under way finish until ctx ends, and closes the
// line. It returns when all goroutines have ended.
func (e *Edge) Shutdown(ctx context.Context) error { return e.line.Shutdown(ctx) }

// Close ends the line at once and returns when all goroutines have ended.
func (e *Edge) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = e.Shutdown(ctx) // only tells that ctx has ended
	return nil
}

// current is the line that stands, or the error to fail a call with.
func (e *Edge) current() (*line.Line, error) {
	if l := e.line.Line(); l != nil {
		return l, nil
	}
	return nil, protocol.Errorf(protocol.Unavailable, "no line to the edge at %s", e.cfg.Address).Retryable()
}

// messageOverhead is the most that stands around method and arguments in a message.
const messageOverhead = 16

// encode encodes arguments within the bound.
func (e *Edge) encode(l *line.Line, method string, args any) (protocol.Raw, error) {
	if args == nil {
		return nil, nil
	}
	raw, err := l.Codec.Marshal(args)
	if err != nil {
		return nil, protocol.Errorf(protocol.InvalidArgument, "arguments of %s: %w", method, err)
	}
	if len(raw)+len(method)+messageOverhead > e.cfg.MaxMessage {
		return nil, protocol.Errorf(protocol.TooLarge, "arguments of %s take %d bytes, at most %d are sent", method, len(raw), e.cfg.MaxMessage)
	}
	return raw, nil
}

// metadata is what ctx has for the edge.
func metadata(ctx context.Context, route string) *protocol.Metadata {
	m := &protocol.Metadata{
		Route:       route,
		Passport:    passport.FromContext(ctx).Sealed(),
		Traceparent: protocol.Traceparent(ctx),
	}
	if t, ok := ctx.Deadline(); ok {
		m.Budget = max(time.Until(t), time.Millisecond)
	}
	return m
}
