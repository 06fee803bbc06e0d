// Package revocations runs package revocation over the bus: what a gateway holds, and
// the publisher that follows account events.
//
// Account events are JSON on the subject warmline.accounts, as
// [revocation.ParseEvent] reads them; one that names a "session" puts that in question
// too. The bus keeps nothing, so an event may have an "id", and be told until
// {"ids":[…]} on warmline.accounts.taken has that: then a publisher has told the
// gateways, and has it on disk. A [Teller] does so.
package revocations

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/internal/bus"
	"warmline.dev/passport"
	"warmline.dev/passport/revocation"
)

// AccountSubject is where account sources tell what has changed, and TakenSubject where
// publishers say what they have taken.
const (
	AccountSubject = "warmline.accounts"
	TakenSubject   = "warmline.accounts.taken"
)

// carrier is the bus as package revocation knows it.
type carrier struct{ *bus.Bus }

func (c carrier) Subscribe(subject string, take func(data []byte), gap func()) (func(), error) {
	sub, err := c.Bus.Subscribe(subject, func(_ string, data []byte) { take(data) }, gap)
	if err != nil {
		return nil, err
	}
	return sub.Close, nil
}

// Set is what a gateway holds, and hears. Make it with [Follow]; whoever does closes
// it, before the bus.
type Set struct {
	*revocation.Set
	follower *revocation.Follower
	bus      *bus.Bus
}

// Follow makes a set that hears of changes on the bus.
func Follow(b *bus.Bus, cfg revocation.SetConfig, log zerolog.Logger) (*Set, error) {
	set, err := revocation.NewSet(cfg)
	if err != nil {
		return nil, err
	}
	follower, err := revocation.Follow(revocation.FollowerConfig{Bus: carrier{b}, Set: set, Log: log})
	if err != nil {
		return nil, err
	}
	return &Set{set, follower, b}, nil
}

// Bus is how the bus is on which it hears.
func (s *Set) Bus() bus.Status { return s.bus.Status() }

// Close ends what it hears.
func (s *Set) Close() { s.follower.Close() }

// Publisher tells gateways of account events. Make it with [Publish]; whoever does
// closes it, before the bus.
type Publisher struct {
	*revocation.Publisher
	bus    *bus.Bus
	window *revocation.Window
	events *bus.Subscription
	log    zerolog.Logger

	ids    chan string // of events that were taken
	cancel context.CancelFunc
	said   chan struct{} // closed when nothing more is said of them
}

const (
	mostTaken = 1000 // events that wait to be said to be taken
	maxID     = 128  // bytes
	inJSON    = 6    // bytes that one of an id may become
	// mostSaid is how many bytes of ids may be in a message that another one still fits in.
	mostSaid = bus.MaxMessage - inJSON*maxID - 64
)

// Publish begins to follow account events. What it knows survives a restart in the
// file, if one is named.
func Publish(b *bus.Bus, keys []passport.Key, cfg revocation.WindowConfig, log zerolog.Logger) (*Publisher, error) {
	window, err := revocation.OpenWindow(cfg)
	if err != nil {
		return nil, err
	}
	p := &Publisher{bus: b, window: window, log: log, ids: make(chan string, mostTaken), said: make(chan struct{})}
	p.Publisher, err = revocation.NewPublisher(revocation.PublisherConfig{Keys: keys, Bus: carrier{b}, Window: window, Log: log})
	if err != nil {
		return nil, errors.Join(err, window.Close())
	}
	// What was missed is told again.
	p.events, err = b.Subscribe(AccountSubject, func(_ string, data []byte) { p.take(data) }, func() {})
	if err != nil {
		p.Publisher.Close()
		return nil, errors.Join(err, window.Close())
	}
	var ctx context.Context
	ctx, p.cancel = context.WithCancel(context.Background())
	go p.say(ctx)
	return p, nil
}

// take takes an account event, of whom and of which session.
func (p *Publisher) take(data []byte) {
	var e struct {
		ID       string `json:"id"`
		Customer string `json:"customer"`
		Session  string `json:"session"`
		At       int64  `json:"at"`
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := json.Unmarshal(data, &e)
	if err == nil && e.Session != "" {
		var at time.Time // without one it is of now
		if e.At > 0 {
			at = time.UnixMilli(e.At)
		}
		err = p.Revoke(ctx, e.Session, at)
	}
	if e.Customer != "" || e.Session == "" {
		err = errors.Join(err, p.Take(ctx, data)) // whatever is wrong with its session
	}
	if err != nil {
		p.log.Warn().Err(err).Msg(`an account event can't be taken: expected JSON such as {"customer":"c-1001","at":1790000000000}`)
	}
	if err != nil && (ctx.Err() != nil || errors.Is(err, revocation.ErrClosed)) {
		return // another time it can
	}
	if e.ID != "" && len(e.ID) <= maxID {
		select {
		case p.ids <- e.ID:
		default: // it is told again
		}
	}
}

// say says what was taken, when gateways have been told and it is on disk.
func (p *Publisher) say(ctx context.Context) {
	defer close(p.said)
	for {
		var some taken
		select {
		case id := <-p.ids:
			some.IDs = append(some.IDs, id)
		case <-ctx.Done():
			return
		}
		for size := inJSON * maxID; len(p.ids) > 0 && size < mostSaid; {
			id := <-p.ids
			some.IDs = append(some.IDs, id)
			size += inJSON*len(id) + len(`"",`)
		}
		err := p.Flush(ctx)
		if err == nil {
			var data []byte
			if data, err = json.Marshal(some); err == nil {
				err = p.bus.Publish(ctx, TakenSubject, data)
			}
		}
		if err != nil && ctx.Err() == nil {
			p.log.Debug().Err(err).Msg("account events are not said to be taken: they are told again")
		}
	}
}

// Close tells what was taken, puts it on disk, and ends.
func (p *Publisher) Close() error {
	p.events.Close()
	p.cancel()
	<-p.said
	p.Publisher.Close()
	return p.window.Close()
}
