package devicedata

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/internal/bus"
	"warmline.dev/passport/device"
)

const (
	answerPause = 500 * time.Millisecond // between two answers
	listen      = 2 * answerPause        // for other publishers, before the first word
)

// ErrNotNewer is wrapped by errors about a version that gateways would not take, as
// they have one that is as new.
var ErrNotNewer = errors.New("device data: not newer")

// PublisherConfig says what is published.
type PublisherConfig struct {
	// Keyring signs. Required.
	Keyring *device.Keyring
	// Table is what is published. Required.
	Table *device.Table
	// From is the version before: who has it is told what has changed, and who is pinned
	// to it can have it. Default: what is built in, if that is the version before.
	From *device.Table
	// Every is how often the snapshot is repeated. Default a minute.
	Every time.Duration
	// Log is told of a bus that is not there, and of other publishers. The zero value is
	// silent.
	Log zerolog.Logger
}

// Publisher publishes one version, and answers who asks for it. Make it with [Publish];
// whoever does closes it, before the bus. All methods are safe for concurrent use.
type Publisher struct {
	bus      *bus.Bus
	log      zerolog.Logger
	table    *device.Table
	every    time.Duration
	delta    []byte            // none: nil
	whole    map[uint64][]byte // snapshots, by version
	heard    *device.Devices   // what others have published
	overtake sync.Once         // of saying that somebody has overtaken this one

	subs  []*bus.Subscription
	hears chan struct{} // gets one for each subscription that is in force
	wake  chan struct{} // holds one when something is to be said
	back  atomic.Bool   // the bus is, so that some may have missed the snapshot

	end   context.CancelFunc
	told  chan struct{} // closed when everything has been said once
	ended chan struct{} // closed when nothing more is said
	err   error         // why before told; read once ended is closed

	mu  sync.Mutex
	due map[uint64]bool // guarded by mu: versions that somebody has asked for
}

// Publish begins to publish, as soon as the bus is there. The error is about cfg: it
// wraps [ErrNotNewer], or says what a gateway would.
func Publish(b *bus.Bus, cfg PublisherConfig) (*Publisher, error) {
	if cfg.Keyring == nil || cfg.Table == nil {
		return nil, errors.New("device data: expected a table, and keys that sign it")
	}
	if cfg.Every == 0 {
		cfg.Every = defaultEvery
	}
	p := &Publisher{
		bus: b, log: cfg.Log.Sample(&zerolog.BurstSampler{Burst: 10, Period: time.Second}), table: cfg.Table, every: cfg.Every,
		whole: map[uint64][]byte{}, hears: make(chan struct{}, 2), wake: make(chan struct{}, 1),
		told: make(chan struct{}), ended: make(chan struct{}), due: map[uint64]bool{},
	}
	if err := p.seal(cfg); err != nil {
		return nil, err
	}
	if err := p.subscribe(); err != nil {
		p.unsubscribe()
		return nil, err
	}
	ctx, end := context.WithCancel(context.Background())
	p.end = end
	go p.run(ctx)
	return p, nil
}

// seal makes what is said.
func (p *Publisher) seal(cfg PublisherConfig) error {
	from, before, version := cfg.From, "--from is", p.table.Version()
	if from == nil {
		from, before = device.Embedded(), "built in is"
	}
	if version <= from.Version() {
		return fmt.Errorf("%w: it is version %d, and %s %d: raise the version", ErrNotNewer, version, before, from.Version())
	}
	snapshot, err := cfg.Keyring.SealSnapshot(p.table)
	if err != nil {
		return err
	}
	// A gateway that has the version before says whether it would take it.
	gateway, err := device.New(device.Config{Keyring: cfg.Keyring, Table: from})
	if err == nil {
		err = gateway.Take(snapshot)
	}
	if err != nil {
		return err
	}
	p.whole[version] = snapshot
	if cfg.From != nil || version == from.Version()+1 {
		delta, err := device.Diff(from, p.table)
		if err != nil {
			return err
		}
		if p.delta, err = cfg.Keyring.SealDelta(delta); err != nil {
			p.delta = nil // it is longer than the snapshot, which will do
		}
		if p.whole[from.Version()], err = cfg.Keyring.SealSnapshot(from); err != nil {
			return err
		}
	}
	p.heard, err = device.New(device.Config{Keyring: cfg.Keyring, Table: from, Keep: -1})
	return err
}

// Size is how many bytes are published: the snapshot's, and the delta's, 0 if there is
// none.
func (p *Publisher) Size() (snapshot, delta int) {
	return len(p.whole[p.table.Version()]), len(p.delta)
}

func (p *Publisher) subscribe() error {
	for subject, take := range map[string]func([]byte){Subject: p.hear, AskSubject: p.asked} {
		var first sync.Once
		sub, err := p.bus.Subscribe(subject, func(_ string, data []byte) { take(data) }, func() {
			again := true
			first.Do(func() { again = false; p.hears <- struct{}{} })
			if again {
				p.back.Store(true)
				p.signal()
			}
		})
		if err != nil {
			return err
		}
		p.subs = append(p.subs, sub)
	}
	return nil
}

func (p *Publisher) unsubscribe() {
	for _, s := range p.subs {
		s.Close()
	}
}

func (p *Publisher) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// hear notes what others publish, and what this one has.
func (p *Publisher) hear(data []byte) {
	_ = p.heard.Take(data) // what is not signed, old, or for who has another version, is nothing to this one
	select {
	case <-p.told:
		if err := p.overtaken(); err != nil {
			p.overtake.Do(func() { p.log.Warn().Err(err).Msg("device data: somebody else publishes too") })
		}
	default:
	}
}

// overtaken says why gateways would not take this version: they can have another.
func (p *Publisher) overtaken() error {
	other := p.heard.Table()
	switch {
	case other.Version() > p.table.Version():
		return fmt.Errorf("%w: it is version %d, and %d is published already: raise the version", ErrNotNewer, p.table.Version(), other.Version())
	case other.Version() == p.table.Version() && other.Digest() != p.table.Digest():
		return fmt.Errorf("%w: it is version %d, and another table is published as version %d already: raise the version", ErrNotNewer, p.table.Version(), other.Version())
	}
	return nil
}

// asked notes what somebody asks for, if it is here.
func (p *Publisher) asked(data []byte) {
	version, err := strconv.ParseUint(string(data[:min(len(data), 21)]), 10, 64)
	if err != nil {
		return
	}
	if version == 0 {
		version = p.table.Version()
	}
	if p.whole[version] == nil {
		return
	}
	p.mu.Lock()
	p.due[version] = true
	p.mu.Unlock()
	p.signal()
}

// Told waits until everything has been published once, or ctx ends. The error says why
// it was not: it wraps [ErrNotNewer] where somebody has published what is as new.
func (p *Publisher) Told(ctx context.Context) error {
	select {
	case <-p.told:
		return nil
	case <-p.ended:
		return p.err
	case <-ctx.Done():
		reason := p.bus.Status().Reason
		if reason == "" {
			reason = "it takes no message"
		}
		return fmt.Errorf("device data: not published, the bus is not there (%s): %w", reason, ctx.Err())
	}
}

// Close ends it. It may be called twice.
func (p *Publisher) Close() {
	p.unsubscribe()
	p.end()
	<-p.ended
}

func (p *Publisher) run(ctx context.Context) {
	defer close(p.ended)
	if p.err = p.begin(ctx); p.err != nil {
		return
	}
	close(p.told)
	repeat := time.NewTicker(p.every)
	defer repeat.Stop()
	newest := p.table.Version()
	for {
		select {
		case <-ctx.Done():
			return
		case <-repeat.C:
			p.say(ctx, newest)
			continue
		case <-p.wake:
		}
		p.mu.Lock()
		due := p.due
		p.due = map[uint64]bool{}
		p.mu.Unlock()
		if p.back.Swap(false) {
			due[newest] = true
		}
		for version := range due {
			p.say(ctx, version)
		}
		if sleep(ctx, answerPause) != nil {
			return
		}
	}
}

// begin says everything once, when this is known to be the newest version.
func (p *Publisher) begin(ctx context.Context) error {
	for range p.subs {
		select {
		case <-p.hears:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	steps := []func() error{
		func() error { return ask(ctx, p.bus, 0) },
		func() error { return sleep(ctx, listen) },
		p.overtaken,
		func() error {
			if p.delta == nil {
				return nil
			}
			return publish(ctx, p.bus, Subject, p.delta)
		},
		func() error { return publish(ctx, p.bus, Subject, p.whole[p.table.Version()]) },
	}
	for n := 0; n < len(steps); {
		err := steps[n]()
		if err == nil {
			n++
			continue
		}
		if errors.Is(err, ErrNotNewer) || sleep(ctx, answerPause) != nil {
			return err
		}
		p.log.Debug().Err(err).Msg("device data: can't be published yet, trying again")
	}
	return nil
}

// say publishes a snapshot. What fails is said again in a while: when the bus is back,
// or when its time has come.
func (p *Publisher) say(ctx context.Context, version uint64) {
	if err := publish(ctx, p.bus, Subject, p.whole[version]); err != nil && ctx.Err() == nil {
		p.log.Warn().Err(err).Msg("device data: can't be published now")
	}
}
