package line

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/protocol/rsocket"
)

const (
	dialTimeout = 5 * time.Second
	backoffMin  = 50 * time.Millisecond
	backoffMax  = 3 * time.Second
)

// Keeper keeps a line open: when one breaks it dials again, with a backoff that
// grows and is jittered so that many nodes don't come back in step.
type Keeper struct {
	target Target
	log    zerolog.Logger
	cancel context.CancelFunc
	loop   sync.WaitGroup

	mu   sync.Mutex
	line *Line // guarded by mu; nil while there is none
}

// Keep returns when the first line stands, with an error when it is refused, when
// t can't be dialled by anyone, or when ctx ends first. Until then failures to
// connect are tried again. A setup that is refused later is tried again too:
// versions come back in a rollout.
func Keep(ctx context.Context, t Target, log zerolog.Logger) (*Keeper, error) {
	if err := rsocket.CheckAddress(t.Address); err != nil {
		return nil, err
	}
	k := &Keeper{target: t, log: log.With().Str("peer", t.Address).Logger()}
	l, err := k.first(ctx)
	if err != nil {
		return nil, err
	}
	k.set(l)
	loop, cancel := context.WithCancel(context.Background())
	k.cancel = cancel
	k.loop.Go(func() { k.run(loop, l) })
	return k, nil
}

// Line is the line that stands now, nil if there is none.
func (k *Keeper) Line() *Line {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.line
}

func (k *Keeper) set(l *Line) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.line = l
}

// Shutdown stops dialling and shuts the line down gracefully, within ctx.
func (k *Keeper) Shutdown(ctx context.Context) error {
	k.cancel()
	k.loop.Wait()
	if l := k.Line(); l != nil {
		return l.Conn.Shutdown(ctx)
	}
	return nil
}

func (k *Keeper) first(ctx context.Context) (*Line, error) {
	for wait := backoffMin; ; wait = grown(wait) {
		l, err := k.dial(ctx)
		if err == nil {
			return l, nil
		}
		_, refused := errors.AsType[*RefusedError](err)
		_, mistake := errors.AsType[errMistake](err)
		if refused || mistake {
			return nil, err
		}
		k.log.Info().Str("reason", err.Error()).Msg("no line yet, trying again")
		if sleep(ctx, wait) != nil {
			return nil, err
		}
	}
}

// run waits for the line to break and replaces it.
func (k *Keeper) run(ctx context.Context, l *Line) {
	for {
		select {
		case <-l.Conn.Done():
		case <-ctx.Done():
			return
		}
		k.set(nil)
		reason := l.Conn.Err()
		_ = l.Conn.Close() // joins its goroutines; it has ended already
		k.log.Warn().Str("reason", reason.Error()).Msg("line lost")
		if l = k.again(ctx); l == nil {
			return
		}
		k.set(l)
		k.log.Info().Msg("line is back")
	}
}

// again dials until a line stands; nil when ctx has ended.
func (k *Keeper) again(ctx context.Context) *Line {
	for wait := backoffMin; sleep(ctx, wait) == nil; wait = grown(wait) {
		l, err := k.dial(ctx)
		if err == nil {
			return l
		}
		k.log.Debug().Str("reason", err.Error()).Msg("still no line")
	}
	return nil
}

func (k *Keeper) dial(ctx context.Context) (*Line, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return Dial(ctx, k.target)
}

func grown(wait time.Duration) time.Duration { return min(2*wait, backoffMax) }

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
