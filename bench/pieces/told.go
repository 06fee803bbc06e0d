package pieces

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/internal/bus"
	"warmline.dev/internal/revocations"
	"warmline.dev/passport"
	"warmline.dev/passport/revocation"
)

// told is a set that was told all ids over a bus, and the changes of a minute behind
// them, as a gateway is. Nobody tells it anything any more.
func told(ctx context.Context, issued time.Time) (_ *revocation.Set, _ []Figure, err error) {
	const patience = 30 * time.Second
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("a set was not told all after %v", patience))
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
	}()
	b, err := bus.Open(bus.Config{})
	if err != nil {
		return nil, nil, err
	}
	defer b.Close()
	keys := []passport.Key{passport.NewKey("2026-11")}
	p, err := revocations.Publish(b, keys, revocation.WindowConfig{}, zerolog.Nop())
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	for n := range ids {
		if err := p.Revoke(ctx, customer(n), issued.Add(time.Duration(n)*time.Millisecond)); err != nil {
			return nil, nil, err
		}
	}
	if err := p.Flush(ctx); err != nil {
		return nil, nil, err
	}
	g, err := follow(b, keys)
	if err != nil {
		return nil, nil, err
	}
	defer g.close()
	if err := g.has(ctx, ids, 0); err != nil {
		return nil, nil, err
	}
	for n := range changes { // each by itself
		if err := p.Revoke(ctx, customer(ids+n), time.Now()); err != nil {
			return nil, nil, err
		}
		if err := p.Flush(ctx); err != nil {
			return nil, nil, err
		}
	}
	if err := g.has(ctx, ids+changes, changes); err != nil {
		return nil, nil, err
	}
	st := p.Stats()
	return g.set.Set, []Figure{
		{filterMemory, float64(g.set.Stats().FilterBytes), "bytes"},
		{minuteBytes, g.minute(), "bytes"},
		{snapshotBytes, float64(st.SnapshotBytes) / float64(st.Snapshots), "bytes"}, // the set was told one
	}, nil
}

// gateway is what a gateway holds, and how much it hears to that end.
type gateway struct {
	set *revocations.Set
	ear *bus.Subscription

	mu sync.Mutex
	// guarded by mu
	changes, bytes int // messages since the set was complete
	beat           int // bytes of one
}

func follow(b *bus.Bus, keys []passport.Key) (*gateway, error) {
	g := &gateway{}
	var err error
	if g.ear, err = b.Subscribe(revocation.ChangeSubject, g.hear, func() {}); err != nil {
		return nil, err
	}
	if g.set, err = revocations.Follow(b, revocation.SetConfig{Keys: keys}, zerolog.Nop()); err != nil {
		g.ear.Close()
		return nil, err
	}
	return g, nil
}

func (g *gateway) close() {
	g.set.Close()
	g.ear.Close()
}

// hear counts a message; package revocation says where its kind stands.
func (g *gateway) hear(_ string, data []byte) {
	const change, beat = 1, 2
	g.mu.Lock()
	defer g.mu.Unlock()
	switch data[3] {
	case change:
		g.changes++
		g.bytes += len(data)
	case beat:
		g.beat = len(data)
	}
}

// minute is what the changes of a minute come to, and a beat every ten seconds.
func (g *gateway) minute() float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return float64(g.bytes + 6*g.beat)
}

// has waits until the set has so many ids and nothing is missing, and so many changes
// and a beat were heard.
func (g *gateway) has(ctx context.Context, ids, changes int) error {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		s := g.set.Stats()
		g.mu.Lock()
		heard := g.changes == changes && g.beat > 0
		g.mu.Unlock()
		if heard && s.Complete && s.Entries == ids {
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
