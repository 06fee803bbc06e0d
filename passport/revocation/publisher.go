package revocation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/passport"
)

const (
	// beatEvery and snapshotEvery are how often a publisher says how far it is, and
	// all that it holds.
	beatEvery     = 10 * time.Second
	snapshotEvery = time.Minute
	// beatPause is between two beats, and snapshotPause between two snapshots, however
	// many ask.
	beatPause     = 100 * time.Millisecond
	snapshotPause = time.Second
	// settleFor is how long a publisher listens for others before it answers for all.
	settleFor = time.Second

	defaultGather = 5 * time.Millisecond
	retryFirst    = 100 * time.Millisecond
	retryLast     = time.Second

	maxQueue  = 4096 // events that wait for the publisher
	maxUntold = 64   // changes that wait for the bus; beyond, a snapshot is shorter
	maxNews   = 4 * maxEntries
)

// PublisherConfig is how a [Publisher] behaves. 0 is the default, negative is off.
type PublisherConfig struct {
	// Keys sign: the first does. The others, too, are taken from other publishers and
	// those who ask. Best a keyring of its own. At least one.
	Keys []passport.Key

	Bus    Bus     // required
	Window *Window // required; the caller's, who closes it after the publisher

	// Gather is how long a change waits for others that it is told with. Default
	// 5 ms; negative: it takes what is there.
	Gather time.Duration

	// Log is told of what could not be told or put on disk. The zero value is silent.
	Log zerolog.Logger
}

// Publisher tells gateways whose account changed. Make it with [NewPublisher]. All
// methods are safe for concurrent use.
type Publisher struct {
	bus      Bus
	window   *Window
	keys     *keys
	gather   time.Duration
	log      zerolog.Logger
	epoch    uint64
	follower *Follower // of other publishers
	unasked  func()    // ends the subscription to asks

	queue   chan entry
	flushes chan chan error // answered when what was queued before is told
	wake    chan struct{}   // holds one while there is something in want or learned
	dirty   chan struct{}   // holds one while there is something to put on disk
	end     context.CancelFunc
	ended   sync.WaitGroup
	over    chan struct{} // closed when run has ended

	gate   sync.RWMutex // held while an event is queued
	closed bool         // guarded by gate

	told   atomic.Uint64 // all changes through this one have been told, or never will be
	counts publisherCounts

	mu sync.Mutex
	// guarded by mu
	want    want
	learned []entry // news by other publishers

	// owned by run
	seq          uint64
	sent         int64 // the last message's
	untold       []numbered
	lastBeat     time.Time
	lastSnapshot time.Time
	ready        bool          // it can answer for all
	retry        time.Duration // after which what failed is tried again
}

// want is what is to be told besides changes.
type want struct{ beat, snapshot bool }

// numbered is a change that is signed already.
type numbered struct {
	seq  uint64
	data []byte
}

// NewPublisher subscribes and begins to tell; it waits for nothing. The caller ends
// it with Close, before the bus. The error is about cfg, or the bus's.
func NewPublisher(cfg PublisherConfig) (*Publisher, error) {
	if cfg.Bus == nil || cfg.Window == nil {
		return nil, errors.New("revocation: NewPublisher: expected a Bus and a Window")
	}
	if cfg.Gather == 0 {
		cfg.Gather = defaultGather
	}
	if cfg.Gather > time.Second {
		return nil, fmt.Errorf("revocation: Gather: %v, expected at most 1s", cfg.Gather)
	}
	p := &Publisher{
		bus: cfg.Bus, window: cfg.Window, gather: cfg.Gather, epoch: 1 + rand.Uint64N(1<<64-1),
		log:   cfg.Log.Sample(&zerolog.BurstSampler{Burst: 10, Period: time.Second}),
		queue: make(chan entry, maxQueue), flushes: make(chan chan error),
		wake: make(chan struct{}, 1), dirty: make(chan struct{}, 1), over: make(chan struct{}),
		retry: retryFirst,
	}
	var err error
	if p.keys, err = newKeys(cfg.Keys); err != nil {
		return nil, err
	}
	others, err := p.others(cfg.Keys)
	if err != nil {
		return nil, err
	}
	if broken := p.window.Stats().Broken; broken > 0 {
		p.log.Warn().Int("records", broken).Msg("revocation: records of the window's file can't be read and are left out")
	}
	if p.unasked, err = p.bus.Subscribe(AskSubject, p.asked, p.back); err != nil {
		return nil, fmt.Errorf("revocation: hear what is asked: %w", err)
	}
	if p.follower, err = follow(FollowerConfig{Bus: cfg.Bus, Set: others, Log: cfg.Log}, p.epoch, settleFor); err != nil {
		p.unasked()
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.end = cancel
	p.ended.Go(func() { p.run(ctx) })
	p.ended.Go(func() { p.keep(ctx) })
	return p, nil
}

// ReplaceKeys has the publisher sign with the first of these keys, and verify what others
// tell and ask with these and no others. What it has signed and not told is told as it
// is. The error is about keys that [NewPublisher] refuses, and then nothing has changed.
func (p *Publisher) ReplaceKeys(keys ...passport.Key) error { return p.keys.replace(keys) }

// others is a set of what other publishers tell, which is put into the window.
func (p *Publisher) others(list []passport.Key) (*Set, error) {
	cfg := SetConfig{Keys: list, Window: p.window.cfg.Window, Margin: p.window.cfg.Margin, MaxEntries: p.window.cfg.MaxEntries}
	if cfg.Margin == 0 {
		cfg.Margin = -1 // the window has its defaults already
	}
	cfg.Build = func([]uint64) (Filter, error) { return nil, nil } // nobody checks anything
	s, err := NewSet(cfg)
	if err == nil {
		s.self, s.learned, s.keys = p.epoch, p.learn, p.keys
	}
	return s, err
}

var (
	// ErrClosed is returned by what is called after [Publisher.Close].
	ErrClosed = errors.New("revocation: the publisher is closed")

	// ErrNotTold is wrapped by the error of [Publisher.Flush] when the bus does not
	// take it. Gateways are told as soon as it does.
	ErrNotTold = errors.New("revocation: gateways have not been told yet")
)

// Take takes an account event as [ParseEvent] reads it. The error is about the event,
// [ErrClosed], or ctx's: 4,096 wait at most. It is told a few milliseconds later, and
// put on disk: [Publisher.Flush] waits for both.
func (p *Publisher) Take(ctx context.Context, event []byte) error {
	e, err := ParseEvent(event)
	if err != nil {
		return err
	}
	return p.Revoke(ctx, e.Customer, e.At)
}

// Revoke has cookies of an id, 1 to 256 bytes, be in question everywhere if they were
// issued before a time. A time that is zero or still to come is now; one from before
// the window does not matter any more. Otherwise it is as [Publisher.Take].
func (p *Publisher) Revoke(ctx context.Context, id string, at time.Time) error {
	if id == "" || len(id) > maxID {
		return fmt.Errorf("revocation: an id of %d bytes, expected 1 to %d", len(id), maxID)
	}
	p.gate.RLock()
	defer p.gate.RUnlock()
	if p.closed {
		return ErrClosed
	}
	select {
	case p.queue <- entry{Hash(id), happened(at, time.Now())}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("revocation: the publisher has %d events to tell: %w", maxQueue, ctx.Err())
	}
}

// Flush waits until what was taken before has been told to gateways and is on disk, so
// that the event may be forgotten where it came from. The error wraps [ErrNotTold], is
// the disk's, or both; then the publisher goes on trying. Or it is [ErrClosed] or
// ctx's.
func (p *Publisher) Flush(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case p.flushes <- done:
	case <-p.over:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return errors.Join(err, p.window.Sync())
	case <-p.over:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close tells what was taken, as far as the bus takes it within a second, puts it on
// disk, and ends. It may be called twice.
func (p *Publisher) Close() {
	p.gate.Lock()
	first := !p.closed
	p.closed = true
	p.gate.Unlock()
	p.end()
	p.ended.Wait()
	p.unasked()
	p.follower.Close()
	if first {
		p.sync()
	}
}

// learn keeps what another publisher tells.
func (p *Publisher) learn(entries []entry) {
	news := p.window.add(entries, time.Now())
	if len(news) == 0 {
		return
	}
	p.mu.Lock()
	p.learned = append(p.learned, news...)
	p.mu.Unlock()
	signal(p.wake)
}

// asked is called with what somebody asks.
func (p *Publisher) asked(data []byte) {
	k, body, err := p.keys.open(data)
	var m any
	if err == nil {
		m, err = parse(k, body)
	}
	question, ok := m.(ask)
	if err == nil && !ok {
		err = fmt.Errorf("%w: kind %d, expected an ask", ErrMalformed, k)
	}
	if err != nil {
		p.counts.refused.Add(1)
		p.log.Warn().Err(err).Msg("revocation: what is asked is refused")
		return
	}
	if question.epoch == p.epoch {
		return
	}
	p.counts.asks.Add(1)
	current := false
	for _, m := range question.marks {
		current = current || m.epoch == p.epoch && m.seq >= p.told.Load()
	}
	p.wants(want{beat: true, snapshot: !current})
}

// back is called when the bus is there, perhaps again.
func (p *Publisher) back() { p.wants(want{beat: true}) }

func (p *Publisher) wants(w want) {
	p.mu.Lock()
	p.want.beat = p.want.beat || w.beat
	p.want.snapshot = p.want.snapshot || w.snapshot
	p.mu.Unlock()
	signal(p.wake)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is told already
	}
}
