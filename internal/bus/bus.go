package bus

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rs/zerolog"
)

const (
	backoffMin = 50 * time.Millisecond
	backoffMax = time.Second
)

// Bus is a connection to the bus, and the embedded server if there is one. Make
// it with [Open]. Its methods are safe for concurrent use.
type Bus struct {
	name   string
	target target
	server *server.Server // nil: an external one
	log    zerolog.Logger
	// peers is log for what others bring about, however often they do.
	peers  zerolog.Logger
	cancel context.CancelFunc
	ran    chan struct{} // closed when there will be no other connection

	counts counts

	mu sync.Mutex
	// guarded by mu
	closed        bool
	connection    *connection // nil while there is none
	since         time.Time   // that it stands, or that there is none
	reason        error       // why there is none
	subscriptions map[*Subscription]struct{}
}

var (
	// ErrNotConnected is returned by [Bus.Publish] while the bus is out of reach.
	ErrNotConnected = errors.New("bus: not connected")

	// ErrClosed is returned by what is called after [Bus.Close].
	ErrClosed = errors.New("bus: closed")
)

var errNoneYet = errors.New("none yet")

// Open starts the bus, and says what is wrong with cfg or why the embedded server
// can't listen. An embedded bus is connected when Open returns. An external one
// that is not there is no error: it is tried until [Bus.Close], which the caller
// calls.
func Open(cfg Config) (*Bus, error) {
	if cfg.Name == "" {
		cfg.Name = defaultName
	}
	if len(cfg.Name) > maxName {
		return nil, errors.New("bus: Name: expected at most 128 bytes")
	}
	t, err := parse(cfg.URL)
	if err != nil {
		return nil, err
	}
	b := &Bus{
		name: cfg.Name, target: t, log: cfg.Log,
		peers: cfg.Log.Sample(&zerolog.BurstSampler{Burst: 10, Period: time.Second}),
		ran:   make(chan struct{}), since: time.Now(), reason: errNoneYet,
		subscriptions: map[*Subscription]struct{}{},
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	var first *connection
	if t.servers == nil {
		if b.server, err = startServer(t.listen, b.peers); err != nil {
			cancel()
			return nil, err
		}
		if t.listen != "" {
			b.target.shown = "nats://" + b.server.Addr().String()
		}
		if first, err = b.connect(ctx); err != nil {
			cancel()
			stopServer(b.server)
			return nil, err
		}
		b.stands(first)
	}
	go b.run(ctx, first)
	return b, nil
}

// Close ends the subscriptions, the connection and the embedded server. No
// function of a subscriber runs when it returns, so none may call it. It may be
// called twice.
func (b *Bus) Close() {
	b.mu.Lock()
	b.closed = true
	subscriptions := b.subscriptions
	b.subscriptions = nil
	b.mu.Unlock()
	b.cancel()
	for s := range subscriptions {
		s.end()
	}
	<-b.ran
}

// run keeps a connection, and shuts the embedded server down behind the last.
func (b *Bus) run(ctx context.Context, c *connection) {
	defer close(b.ran)
	if b.server != nil {
		defer stopServer(b.server)
	}
	for wait := backoffMin; ; wait = min(2*wait, backoffMax) {
		if c == nil {
			var err error
			if c, err = b.connect(ctx); err != nil {
				b.fails(ctx, err)
			} else {
				b.stands(c)
			}
		}
		if c != nil {
			begun := time.Now()
			b.lost(ctx, c.serve(ctx))
			c = nil
			// A server that takes connections and drops them is no reason to hurry.
			if time.Since(begun) > backoffMax {
				wait = backoffMin
			}
		}
		if sleep(ctx, wait) != nil {
			return
		}
	}
}

// stands notes a connection.
func (b *Bus) stands(c *connection) {
	again := b.counts.connections.Add(1) > 1
	b.mu.Lock()
	b.connection, b.since, b.reason = c, time.Now(), nil
	b.mu.Unlock()
	if again {
		b.log.Info().Msg("bus is back")
	}
}

// lost notes that there is none any more.
func (b *Bus) lost(ctx context.Context, err error) {
	b.mu.Lock()
	b.connection, b.since, b.reason = nil, time.Now(), err
	b.mu.Unlock()
	if ctx.Err() == nil {
		b.log.Warn().Str("reason", clip(err.Error())).Msg("bus lost")
	}
}

// fails notes that there is none yet. The first failure is told aloud, unless the
// loss was.
func (b *Bus) fails(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	b.mu.Lock()
	level := zerolog.DebugLevel
	if b.reason == errNoneYet {
		level = zerolog.WarnLevel
	}
	b.reason = err
	b.mu.Unlock()
	b.log.WithLevel(level).Str("reason", clip(err.Error())).Msg("no bus yet, trying again")
}

// current is the connection that stands, or why there is none.
func (b *Bus) current() (*connection, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return nil, ErrClosed
	case b.connection == nil:
		return nil, ErrNotConnected
	}
	return b.connection, nil
}

// wake tells the connection, if there is one, that the subscriptions are others.
func (b *Bus) wake() {
	if c, err := b.current(); err == nil {
		select {
		case c.woken <- struct{}{}:
		default: // it is told already
		}
	}
}

// subscribed is a copy of the set of subscriptions.
func (b *Bus) subscribed() map[*Subscription]struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	set := make(map[*Subscription]struct{}, len(b.subscriptions))
	for s := range b.subscriptions {
		set[s] = struct{}{}
	}
	return set
}

// sleep waits for half of d to d.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d/2 + rand.N(d/2))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// clip keeps what a peer says from filling the log.
func clip(text string) string {
	const most = 300
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
