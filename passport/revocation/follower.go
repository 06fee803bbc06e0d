package revocation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

const (
	askFirst = 500 * time.Millisecond // until what was asked is asked again
	askLast  = 10 * time.Second       // after it was asked often
	lookIn   = 5 * time.Second        // at a set that is complete
)

// FollowerConfig says who follows what.
type FollowerConfig struct {
	Bus Bus            // required
	Set *Set           // required; the caller's
	Log zerolog.Logger // of what is refused and what is missing; the zero value is silent
}

// Follower gives a set what the bus has for it, and asks for what it missed. Make it
// with [Follow]; all methods are safe for concurrent use.
type Follower struct {
	bus   Bus
	set   *Set
	log   zerolog.Logger // of what happens as often as others like
	epoch uint64         // its name in what it asks
	alone time.Duration  // a publisher's: so long after a gap it may be that there is no other

	wake  chan struct{} // holds one when the set may be another
	ready chan struct{} // closed when the set was complete
	end   context.CancelFunc
	ended chan struct{}

	mu sync.Mutex
	// guarded by mu
	gap     time.Time // when the last was told; zero while there was none
	hearing bool      // snapshots, too
	due     time.Time // when to ask
	wait    time.Duration
}

// Follow subscribes; it waits for nothing. The caller ends it with Close, before the
// bus. The error is about cfg, or the bus's.
func Follow(cfg FollowerConfig) (*Follower, error) { return follow(cfg, rand.Uint64(), 0) }

func follow(cfg FollowerConfig, epoch uint64, alone time.Duration) (*Follower, error) {
	if cfg.Bus == nil || cfg.Set == nil {
		return nil, errors.New("revocation: Follow: expected a Bus and a Set")
	}
	f := &Follower{
		bus: cfg.Bus, set: cfg.Set, epoch: epoch, alone: alone, wait: askFirst,
		log:  cfg.Log.Sample(&zerolog.BurstSampler{Burst: 10, Period: time.Second}),
		wake: make(chan struct{}, 1), ready: make(chan struct{}), ended: make(chan struct{}),
	}
	end, err := f.bus.Subscribe(ChangeSubject, f.take, func() {
		f.set.Gap()
		f.missed(false)
	})
	if err != nil {
		return nil, fmt.Errorf("revocation: follow changes: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	f.end = cancel
	go func() {
		defer close(f.ended)
		defer end()
		f.run(ctx)
	}()
	return f, nil
}

// Ready waits until the set was complete for the first time, or ctx ends.
func (f *Follower) Ready(ctx context.Context) error {
	select {
	case <-f.ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("revocation: nobody has told yet whose account changed: %w", ctx.Err())
	}
}

// Close ends the subscriptions. It may be called twice.
func (f *Follower) Close() {
	f.end()
	<-f.ended
}

// take gives the set a message.
func (f *Follower) take(data []byte) {
	err := f.set.Take(data)
	if err != nil && !errors.Is(err, ErrOld) {
		f.log.Warn().Err(err).Msg("revocation refused")
	}
	signal(f.wake)
}

// missed notes that something may have been, and that it is time to ask.
func (f *Follower) missed(snapshots bool) {
	f.mu.Lock()
	f.hearing = f.hearing || snapshots
	if !snapshots {
		f.gap = time.Now()
	}
	f.due, f.wait = time.Now(), askFirst
	f.mu.Unlock()
	signal(f.wake)
}

// run hears snapshots, and asks for one, while something is missing.
func (f *Follower) run(ctx context.Context) {
	end := func() {}
	defer func() { end() }()
	look := time.NewTimer(lookIn)
	defer look.Stop()
	for hears, asked := false, false; ; {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
		case <-look.C:
		}
		now := time.Now()
		if f.whole(now) {
			if asked {
				f.log.Info().Msg("revocation: nothing is missing any more")
			}
			end()
			end, hears, asked = func() {}, false, false
			f.mu.Lock()
			f.hearing, f.due, f.wait = false, time.Time{}, askFirst
			f.mu.Unlock()
			select {
			case <-f.ready:
			default:
				close(f.ready)
			}
			look.Reset(lookIn)
			continue
		}
		if !hears {
			e, err := f.bus.Subscribe(SnapshotSubject, f.take, func() { f.missed(true) })
			if err != nil {
				f.log.Warn().Err(err).Msg("revocation: can't hear snapshots")
				look.Reset(askLast)
				continue
			}
			end, hears = e, true
		}
		f.mu.Lock()
		due, next := f.hearing && !now.Before(f.due), f.due.Sub(now)
		if due {
			next = f.wait
			f.due, f.wait = now.Add(next), min(2*f.wait, askLast)
		}
		if !f.hearing {
			next = lookIn
		}
		if f.alone > 0 { // it is over by itself
			next = min(next, f.alone)
		}
		f.mu.Unlock()
		if due {
			asked = true
			f.ask(ctx)
		}
		look.Reset(next)
	}
}

// whole reports that nothing is missing. A publisher that hears of no other has
// everything there is, and one that waits for another in vain goes on in the end.
func (f *Follower) whole(now time.Time) bool {
	if f.alone == 0 {
		return f.set.Complete()
	}
	f.mu.Lock()
	gap := f.gap
	f.mu.Unlock()
	since := now.Sub(gap)
	return !gap.IsZero() && since >= f.alone && (since >= 10*f.alone || !f.set.hears(now) || f.set.Complete())
}

func (f *Follower) ask(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := f.bus.Publish(ctx, AskSubject, f.set.question(f.epoch)); err != nil {
		f.log.Debug().Err(err).Msg("revocation: can't ask what is missing")
	}
}
