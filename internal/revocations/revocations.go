// Package revocations runs package revocation over the bus: what a gateway holds, and
// the publisher that follows account events.
//
// Account events are JSON on the subject warmline.accounts, as
// [revocation.ParseEvent] reads them; one that names a "session" puts that in question
// too.
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

// AccountSubject is where account sources tell what has changed.
const AccountSubject = "warmline.accounts"

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
	return &Set{set, follower}, nil
}

// Close ends what it hears.
func (s *Set) Close() { s.follower.Close() }

// Publisher tells gateways of account events. Make it with [Publish]; whoever does
// closes it, before the bus.
type Publisher struct {
	*revocation.Publisher
	window *revocation.Window
	events *bus.Subscription
}

// Publish begins to follow account events. What it knows survives a restart in the
// file, if one is named.
func Publish(b *bus.Bus, keys []passport.Key, cfg revocation.WindowConfig, log zerolog.Logger) (*Publisher, error) {
	window, err := revocation.OpenWindow(cfg)
	if err != nil {
		return nil, err
	}
	p := &Publisher{window: window}
	p.Publisher, err = revocation.NewPublisher(revocation.PublisherConfig{Keys: keys, Bus: carrier{b}, Window: window, Log: log})
	if err != nil {
		return nil, errors.Join(err, window.Close())
	}
	// Events that were missed are those of a time without the bus: the account source
	// tells again what it could not tell.
	p.events, err = b.Subscribe(AccountSubject, func(_ string, data []byte) { p.take(data, log) }, func() {})
	if err != nil {
		p.Publisher.Close()
		return nil, errors.Join(err, window.Close())
	}
	return p, nil
}

// take takes an account event, of whom and of which session.
func (p *Publisher) take(data []byte, log zerolog.Logger) {
	var session struct {
		Customer string `json:"customer"`
		Session  string `json:"session"`
		At       int64  `json:"at"`
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := json.Unmarshal(data, &session)
	if err == nil && session.Session != "" {
		err = p.Revoke(ctx, session.Session, time.UnixMilli(session.At))
	}
	if err == nil && (session.Customer != "" || session.Session == "") {
		err = p.Take(ctx, data)
	}
	if err != nil {
		log.Warn().Err(err).Msg("an account event can't be taken: expected JSON such as {\"customer\":\"c-1001\",\"at\":1790000000000}")
	}
}

// Close tells what was taken, puts it on disk, and ends.
func (p *Publisher) Close() error {
	p.events.Close()
	p.Publisher.Close()
	return p.window.Close()
}
