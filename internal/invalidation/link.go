package invalidation

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/bus"
)

// Subject is what invalidations are published under.
const Subject = "warmline.invalidate"

// patience is how long the bus may take to take a message.
const patience = 250 * time.Millisecond

// Caches are an edge's.
type Caches interface {
	// Invalidate drops what has changed and returns how many values that were.
	Invalidate(i warm.Invalidation) int
	// DropAll drops everything there is, as nobody knows what of it has changed.
	DropAll()
}

// message is an invalidation on the bus.
type message struct {
	warm.Invalidation
	From string `json:"from,omitempty"`
}

// Link is an edge's end of the bus. Make it with [Start]. All methods are safe for
// concurrent use.
type Link struct {
	bus    *bus.Bus
	caches Caches
	log    zerolog.Logger
	from   string // so that it knows its own messages
	sub    *bus.Subscription
	first  chan struct{} // closed when the subscription has been in force

	mu     sync.Mutex
	once   sync.Once
	untold untold // guarded by mu
}

// Start subscribes. The caller ends it with Close, before the bus.
func Start(b *bus.Bus, caches Caches, log zerolog.Logger) (*Link, error) {
	l := &Link{bus: b, caches: caches, log: log, from: rand.Text(), first: make(chan struct{})}
	var err error
	l.sub, err = b.Subscribe(Subject, l.heard, l.gap)
	return l, err
}

// Ready waits until invalidations arrive, or ctx ends.
func (l *Link) Ready(ctx context.Context) error {
	select {
	case <-l.first:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the bus is not there: %w", ctx.Err())
	}
}

// Close ends the subscription.
func (l *Link) Close() { l.sub.Close() }

// ErrNotTold is wrapped by the error of [Link.Tell] when the other edges have not
// been told.
var ErrNotTold = errors.New("the other edges have not been told yet")

// Tell drops what has changed, here and at every other edge. It returns how many
// values were dropped here. The error wraps [ErrNotTold]: they are told as soon as
// the bus is there.
func (l *Link) Tell(ctx context.Context, i warm.Invalidation) (dropped int, err error) {
	if err := i.Check(); err != nil {
		return 0, err
	}
	dropped = l.caches.Invalidate(i)
	if err := l.publish(ctx, i); err != nil {
		l.mu.Lock()
		l.untold.add(i)
		l.mu.Unlock()
		l.log.Warn().Stringer("what", i).Err(err).Msg("invalidation waits for the bus")
		return dropped, fmt.Errorf("%w: %w", ErrNotTold, err)
	}
	return dropped, nil
}

func (l *Link) publish(ctx context.Context, i warm.Invalidation) error {
	data, err := json.Marshal(message{i, l.from})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience) // what has changed has changed
	defer cancel()
	return l.bus.Publish(ctx, Subject, data)
}

// heard drops what somebody says has changed.
func (l *Link) heard(_ string, data []byte) {
	var m message
	if json.Unmarshal(data, &m) == nil && m.From == l.from {
		return
	}
	i, err := warm.ParseInvalidation(data)
	if err != nil {
		l.log.Warn().Err(err).Msg("invalidation that can't be read: everything is dropped")
		l.caches.DropAll()
		return
	}
	dropped := l.caches.Invalidate(i)
	l.log.Debug().Stringer("what", i).Int("dropped", dropped).Msg("invalidated")
}

// gap is called when the bus is there, and something may have been missed.
func (l *Link) gap() {
	l.caches.DropAll()
	l.once.Do(func() { close(l.first) })
	l.mu.Lock()
	waiting := l.untold.take()
	l.mu.Unlock()
	for n, i := range waiting {
		if err := l.publish(context.Background(), i); err != nil {
			l.mu.Lock()
			for _, i := range waiting[n:] {
				l.untold.add(i)
			}
			l.mu.Unlock()
			return // the bus is lost again, and there will be another gap
		}
	}
	if len(waiting) > 0 {
		l.log.Info().Int("invalidations", len(waiting)).Msg("the bus is told what it missed")
	}
}

// untold is what waits for the bus.
type untold struct {
	list []warm.Invalidation
}

// maxUntold bounds it: beyond, all of each source has changed.
const maxUntold = 1000

func (u *untold) add(i warm.Invalidation) {
	if len(u.list) >= maxUntold {
		sources := map[string]bool{}
		for _, i := range u.list {
			sources[i.Source] = true
		}
		u.list = nil
		for s := range sources {
			u.list = append(u.list, warm.Invalidation{Source: s, All: true})
		}
	}
	for _, there := range u.list {
		if there == i || there == (warm.Invalidation{Source: i.Source, All: true}) {
			return
		}
	}
	u.list = append(u.list, i)
}

func (u *untold) take() []warm.Invalidation {
	list := u.list
	u.list = nil
	return list
}
