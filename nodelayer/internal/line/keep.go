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
	backoffMax  = time.Second
)

// Keeper keeps a line open: when one breaks, or its peer closes it gracefully, it
// dials again, with a backoff that grows and is jittered so that many nodes don't
// come back in step.
type Keeper struct {
	target Target
	log    zerolog.Logger
	cancel context.CancelFunc
	ran    chan struct{}  // closed when there will be no other line
	wg     sync.WaitGroup // joins the goroutines that wait for the ends of lines

	mu sync.Mutex
	// guarded by mu
	line    *Line // nil while there is none
	closing map[*Line]struct{}
	err     error         // why the last dialling failed
	changed chan struct{} // closed, and replaced, with each of the above
}

// Keep starts a keeper and waits for its first line, as [Keeper.Wait] does.
func Keep(ctx context.Context, t Target, log zerolog.Logger) (*Keeper, error) {
	k, err := Start(t, log)
	if err != nil {
		return nil, err
	}
	if err := k.Wait(ctx); err != nil {
		_ = k.Shutdown(ended()) // the first error is the one to tell
		return nil, err
	}
	return k, nil
}

// Start returns at once; the error is about the address.
func Start(t Target, log zerolog.Logger) (*Keeper, error) {
	if err := rsocket.CheckAddress(t.Address); err != nil {
		return nil, err
	}
	if err := t.Credentials.secure(t.Address); err != nil {
		return nil, err
	}
	k := &Keeper{
		target: t, log: log.With().Str("peer", t.Address).Logger(),
		closing: map[*Line]struct{}{}, changed: make(chan struct{}), ran: make(chan struct{}),
	}
	ctx, cancel := context.WithCancel(context.Background())
	k.cancel = cancel
	go k.run(ctx)
	return k, nil
}

// ended is a context that has ended.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// Wait returns when a line stands, with an error when it is refused, when the
// target can't be dialled by anyone, or when ctx ends first. Failures to connect
// are tried again meanwhile. A setup that is refused later is tried again too:
// versions come back in a rollout.
func (k *Keeper) Wait(ctx context.Context) error {
	for {
		k.mu.Lock()
		l, err, changed := k.line, k.err, k.changed
		k.mu.Unlock()
		_, refused := errors.AsType[*RefusedError](err)
		_, mistake := errors.AsType[errMistake](err)
		switch {
		case l != nil:
			return nil
		case refused || mistake:
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			if err == nil {
				err = ctx.Err()
			}
			return err
		}
	}
}

// Line is the line that stands now and takes new requests, nil if there is none.
func (k *Keeper) Line() *Line {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.line != nil && k.line.Conn.Draining() {
		return nil
	}
	return k.line
}

// set notes the line, and why there is none.
func (k *Keeper) set(l *Line, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.line, k.err = l, err
	close(k.changed)
	k.changed = make(chan struct{})
}

// Shutdown stops dialling and shuts the line down gracefully, within ctx. It
// returns when all goroutines have ended.
func (k *Keeper) Shutdown(ctx context.Context) error {
	k.cancel()
	<-k.ran
	lines := k.lines()
	var wg sync.WaitGroup
	errs := make([]error, len(lines))
	for i, l := range lines {
		wg.Go(func() { errs[i] = l.Conn.Shutdown(ctx) })
	}
	wg.Wait()
	k.wg.Wait()
	return errors.Join(errs...)
}

// lines are all that have not ended.
func (k *Keeper) lines() []*Line {
	k.mu.Lock()
	defer k.mu.Unlock()
	var lines []*Line
	if k.line != nil {
		lines = append(lines, k.line)
	}
	for l := range k.closing {
		lines = append(lines, l)
	}
	return lines
}

// run dials, waits for the line to come to its end and dials again.
func (k *Keeper) run(ctx context.Context) {
	defer close(k.ran)
	stood := false
	for wait := backoffMin; ; {
		l, err := k.dial(ctx)
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = l.Conn.Close() // nobody has seen it
			}
			return
		case err != nil:
			k.set(nil, err)
			_, refused := errors.AsType[*RefusedError](err)
			k.log.WithLevel(levelOf(stood || refused && wait == backoffMin)).Str("reason", err.Error()).Msg("no line yet, trying again")
			if _, mistake := errors.AsType[errMistake](err); mistake || sleep(ctx, wait) != nil {
				return
			}
			wait = min(2*wait, backoffMax)
			continue
		}
		if stood {
			k.log.Info().Msg("line is back")
		}
		stood, wait = true, backoffMin
		k.set(l, nil)
		for l != nil && ctx.Err() == nil {
			l = k.watch(ctx, l)
		}
		if ctx.Err() != nil || sleep(ctx, wait) != nil {
			return
		}
	}
}

// levelOf is how loud a failure to dial is: that the line was lost is said already,
// and that it was refused is told to who waits for it.
func levelOf(said bool) zerolog.Level {
	if said {
		return zerolog.DebugLevel
	}
	return zerolog.InfoLevel
}

// watch returns when there is need of another line, or when ctx has ended: the line
// that has taken its place, if one has already.
func (k *Keeper) watch(ctx context.Context, l *Line) *Line {
	select {
	case <-ctx.Done():
		return nil
	case <-l.Conn.Done():
	case <-l.closing:
	case <-l.retired:
		if next := k.replace(ctx, l); next != nil {
			return next
		}
	}
	select {
	case <-ctx.Done():
	case <-l.Conn.Done():
		k.set(nil, l.Conn.Err())
		_ = l.Conn.Close() // joins its goroutines; it has ended already
		k.log.Warn().Str("reason", l.Conn.Err().Error()).Msg("line lost")
	case <-l.closing:
		k.set(nil, nil)
		event := k.log.Info()
		if r := l.refusal.Load(); r != nil {
			event = k.log.Warn().Str("reason", r.Message)
		}
		event.Msg("the peer is closing the line, what is under way goes on")
		k.leave(l, func() { <-l.Conn.Done() })
	}
	return nil
}

// replace opens another line before the peer closes one, as it has told that it will:
// with a token or certificate that is newer, the peer may well take it.
func (k *Keeper) replace(ctx context.Context, l *Line) *Line {
	const patience = 30 * time.Second // with what is under way
	if sleep(ctx, backoffMin) != nil {
		return nil
	}
	next, err := k.dial(ctx)
	if err != nil {
		k.log.Warn().Str("reason", l.refusal.Load().Message).Msg("the peer is going to close the line, and takes no other")
		return nil
	}
	k.log.Info().Str("reason", l.refusal.Load().Message).Msg("the peer is going to close the line, and has taken another")
	k.set(next, nil)
	k.leave(l, func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = l.Conn.Shutdown(ctx) // it ends either way
	})
	return next
}

// leave lets a line finish what is under way, which end waits for.
func (k *Keeper) leave(l *Line, end func()) {
	k.mu.Lock()
	k.closing[l] = struct{}{}
	k.mu.Unlock()
	k.wg.Go(func() {
		end()
		_ = l.Conn.Close()
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.closing, l)
	})
}

func (k *Keeper) dial(ctx context.Context) (*Line, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return Dial(ctx, k.target)
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
