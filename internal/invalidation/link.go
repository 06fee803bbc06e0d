package invalidation

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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

// message is an invalidation on the bus, or an edge's to itself.
type message struct {
	warm.Invalidation
	From string `json:"from,omitempty"`
	Echo string `json:"echo,omitempty"` // tells who sends it that it has heard what came before
}

// Link is an edge's end of the bus. Make it with [Start]. All methods are safe for
// concurrent use.
type Link struct {
	bus    *bus.Bus
	caches Caches
	log    zerolog.Logger // of what happens as often as others like
	from   string         // so that it knows its own messages
	sub    *bus.Subscription
	first  chan struct{} // closed when the subscription has been in force
	once   sync.Once     // of closing it

	wake chan struct{} // holds one while telling should be tried at once
	end  context.CancelFunc
	told chan struct{} // closed when nothing more is told

	mu sync.Mutex
	// guarded by mu
	untold untold
	echoes map[string]chan struct{} // closed when they are heard
}

// Start subscribes. The caller ends it with Close, before the bus.
func Start(b *bus.Bus, caches Caches, log zerolog.Logger) (*Link, error) {
	l := &Link{
		bus: b, caches: caches, log: log.Sample(&zerolog.BurstSampler{Burst: 10, Period: time.Second}), from: rand.Text(),
		first: make(chan struct{}), wake: make(chan struct{}, 1), told: make(chan struct{}), echoes: map[string]chan struct{}{},
	}
	var err error
	if l.sub, err = b.Subscribe(Subject, l.heard, l.gap); err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(context.Background())
	l.end = end
	go l.tellLater(ctx)
	return l, nil
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

// Vouch returns when everything has been dropped that somebody on the bus said had
// changed before it was called, or with why nobody knows. It takes a second at most.
func (l *Link) Vouch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := l.Ready(ctx); err != nil {
		return err
	}
	echo, heard := rand.Text(), make(chan struct{})
	l.mu.Lock()
	l.echoes[echo] = heard
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.echoes, echo)
		l.mu.Unlock()
	}()
	if err := l.publish(ctx, message{From: l.from, Echo: echo}); err != nil {
		return err
	}
	select {
	case <-heard:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the bus gives nothing back: %w", ctx.Err())
	}
}

// Close ends the subscription. What has not been told is not told any more.
func (l *Link) Close() {
	l.sub.Close()
	l.end()
	<-l.told
}

// ErrNotTold is wrapped by the error of [Link.Tell] when the other edges have not
// been told.
var ErrNotTold = errors.New("the other edges have not been told yet")

// Tell drops what has changed, here and at every other edge. It returns how many
// values were dropped here. The error wraps [ErrNotTold]: they are told as soon as
// the bus takes it. While others wait for that, this one does not try before them.
func (l *Link) Tell(ctx context.Context, i warm.Invalidation) (dropped int, err error) {
	if err := i.Check(); err != nil {
		return 0, err
	}
	dropped = l.caches.Invalidate(i)
	if l.waits(i) {
		return dropped, fmt.Errorf("%w: others wait for the bus already", ErrNotTold)
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience) // what has changed has changed
	defer cancel()
	if err := l.publish(within, message{Invalidation: i, From: l.from}); err != nil {
		l.mu.Lock()
		l.untold.add(i)
		l.mu.Unlock()
		l.hurry()
		l.log.Warn().Stringer("what", i).Err(err).Msg("invalidation waits for the bus")
		return dropped, fmt.Errorf("%w: %w", ErrNotTold, err)
	}
	return dropped, nil
}

// waits has it wait with others, if there are such.
func (l *Link) waits(i warm.Invalidation) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.untold.list) == 0 {
		return false
	}
	l.untold.add(i)
	return true
}

func (l *Link) publish(ctx context.Context, m message) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return l.bus.Publish(ctx, Subject, data)
}

// heard drops what somebody says has changed.
func (l *Link) heard(_ string, data []byte) {
	var m message
	if json.Unmarshal(data, &m) == nil && (m.From == l.from || m.Echo != "") {
		l.echoed(m)
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

// echoed is for who waits for what it has said itself.
func (l *Link) echoed(m message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if heard := l.echoes[m.Echo]; heard != nil && m.From == l.from {
		close(heard)
		delete(l.echoes, m.Echo)
	}
}

// gap is called when the bus is there, and something may have been missed.
func (l *Link) gap() {
	l.caches.DropAll()
	l.once.Do(func() { close(l.first) })
	l.hurry()
}

// hurry has what waits for the bus told now.
func (l *Link) hurry() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// again is how long after it could not be told something is told again, if nothing
// is heard of the bus until then.
const again = 500 * time.Millisecond

// tellLater tells what waits for the bus, until ctx ends.
func (l *Link) tellLater(ctx context.Context) {
	defer close(l.told)
	next := time.NewTimer(again)
	defer next.Stop()
	for {
		select {
		case <-l.wake:
		case <-next.C:
		case <-ctx.Done():
			return
		}
		told := 0
		for n := 1; n > 0; told += n {
			n = l.tellSome(ctx)
		}
		if told > 0 {
			l.log.Info().Int("invalidations", told).Msg("the bus is told what it missed")
		}
		next.Reset(again)
	}
}

// tellSome tells some of what waits, and returns how many the bus has taken.
func (l *Link) tellSome(ctx context.Context) int {
	const atOnce = 100 // the bus confirms them together
	l.mu.Lock()
	some := slices.Clone(l.untold.list[:min(atOnce, len(l.untold.list))])
	l.mu.Unlock()
	took := make([]bool, len(some))
	var all sync.WaitGroup
	for n, i := range some {
		all.Go(func() { took[n] = l.publish(ctx, message{Invalidation: i, From: l.from}) == nil }) // the bus itself bounds how long that takes
	}
	all.Wait()
	told := 0
	l.mu.Lock()
	defer l.mu.Unlock()
	for n, i := range some {
		if took[n] {
			l.untold.remove(i)
			told++
		}
	}
	return told
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

// remove forgets one that has been told. It may be gone: all of its source waits
// instead.
func (u *untold) remove(i warm.Invalidation) {
	if n := slices.Index(u.list, i); n >= 0 {
		u.list = slices.Delete(u.list, n, n+1)
	}
}
