package nodelayer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/nodelayer/internal/line"
	"warmline.dev/passport"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// Config says which edges to dial, as whom, and for which services.
type Config struct {
	// Edges are the addresses of edges that offer the same, as rsocket.CheckAddress
	// takes them: tcp://HOST:PORT, say. At least one. With "dns+" before it,
	// dns+tcp://edges.example:7070, an address is all those that its host name stands
	// for, as the name server says every five seconds.
	Edges []string
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
	// Credentials are how it proves who it is, to edges that ask. Default: not at all.
	Credentials Credentials
	// RSocket bounds the line.
	RSocket rsocket.Config
	// Log is told of lines lost and found. The zero value is silent.
	Log zerolog.Logger
}

// RefusedError is returned by [Dial] when the edge refuses the line, for example
// because a want has no version that satisfies it.
type RefusedError = line.RefusedError

// Credentials are how a node proves who it is: with a client certificate, a token, or
// both. Their functions are asked for each line that is opened, so that certificates
// and tokens can be replaced while it runs.
type Credentials = line.Credentials

// Edge is the edge as a node reaches it: one edge, or several that offer the same.
// It keeps a line open to each and dials again when one breaks. A conversation is
// held with the less busy of two that are drawn at random; an edge that does not
// answer is left out until it does. All methods are safe for concurrent use.
type Edge struct {
	cfg  Config
	pool *line.Pool
}

// Dial opens lines and returns when one stands. An edge that can't be reached is
// tried again until ctx ends; when all refuse the error is a *[RefusedError]. The
// caller ends it with Shutdown or Close.
func Dial(ctx context.Context, cfg Config) (*Edge, error) {
	if cfg.MaxMessage < 0 {
		return nil, fmt.Errorf("nodelayer: MaxMessage is %d, expected a positive number", cfg.MaxMessage)
	}
	if cfg.MaxMessage == 0 {
		cfg.MaxMessage = 1 << 20
	}
	cfg.Wants = maps.Clone(cfg.Wants)
	if len(cfg.Edges) == 0 {
		return nil, errors.New("nodelayer: Edges is empty, expected the address of one at least")
	}
	var targets []line.Target
	for _, address := range cfg.Edges {
		targets = append(targets, line.Target{
			Address: address,
			Hello:   protocol.Hello{Name: cfg.Name, Version: cfg.Version, Protocol: protocol.Range, Wants: cfg.Wants},
			RSocket: cfg.RSocket, Credentials: cfg.Credentials,
			KeepAlive: cfg.KeepAlive,
		})
	}
	pool, err := line.NewPool(ctx, targets, net.DefaultResolver.LookupHost, cfg.Log)
	if err != nil {
		return nil, fmt.Errorf("nodelayer: edge %w", err)
	}
	e := &Edge{cfg: cfg, pool: pool}
	if err := pool.Wait(ctx); err != nil {
		_ = e.Close() // the first error is the one to tell
		return nil, fmt.Errorf("nodelayer: edge %w", err)
	}
	return e, nil
}

// Resolved are the versions that a line has resolved to, by service; nil while
// there is no line.
func (e *Edge) Resolved() map[string]string {
	for _, l := range e.pool.Lines() {
		return maps.Clone(l.Welcome().Resolved)
	}
	return nil
}

// Lines is how many lines stand.
func (e *Edge) Lines() int { return len(e.pool.Lines()) }

// Shutdown lets conversations under way finish until ctx ends, and closes the
// lines. It returns when all goroutines have ended.
func (e *Edge) Shutdown(ctx context.Context) error { return e.pool.Shutdown(ctx) }

// Close ends the line at once and returns when all goroutines have ended.
func (e *Edge) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = e.Shutdown(ctx) // only tells that ctx has ended
	return nil
}

// pick takes an edge for work, rather none of but, and its line; or the error to
// fail a call with. The work has to be given back to the member.
func (e *Edge) pick(but ...*line.Member) (*line.Member, *line.Line, error) {
	m, l := e.pool.Pick(but...)
	if l == nil {
		where := "the edge at " + e.cfg.Edges[0]
		if len(e.cfg.Edges) > 1 {
			where = "any of the edges " + strings.Join(e.cfg.Edges, ", ")
		}
		return nil, nil, protocol.Errorf(protocol.Unavailable, "no line to %s", where).Retryable()
	}
	return m, l, nil
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
