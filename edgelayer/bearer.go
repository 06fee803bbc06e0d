package edgelayer

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/edgelayer/internal/waiting"
	"warmline.dev/passport"
	"warmline.dev/protocol"
	"warmline.dev/protocol/peers"
)

// bearer is whom the calls of one conversation are made for. A change by one
// call is what the later ones see.
type bearer struct {
	keys *passport.Keyring // nil: no passport can be opened

	mu sync.Mutex
	// guarded by mu
	sealed []byte
	opened bool // p and err say what sealed is
	p      passport.Passport
	err    error
	times  uint64            // how often it was changed
	set    map[string]uint64 // the last change of each field; nil: none
}

func newBearer(keys *passport.Keyring, sealed []byte) *bearer {
	return &bearer{keys: keys, sealed: sealed}
}

// open verifies the passport, once for each that there is.
func (b *bearer) open() (passport.Passport, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.openLocked()
}

func (b *bearer) openLocked() (passport.Passport, error) {
	if !b.opened {
		b.opened = true
		b.p, b.err = b.verify()
	}
	if b.err == nil && !time.Now().Before(b.p.Expires) { // a conversation can outlast it
		b.err = unauthenticated(passport.ErrExpired)
	}
	return b.p, b.err
}

func (b *bearer) verify() (passport.Passport, error) {
	if b.keys == nil {
		return passport.Passport{}, unauthenticated(errors.New("this edge has no passport keys"))
	}
	p, err := b.keys.Open(b.sealed, time.Now())
	if err != nil {
		return passport.Passport{}, unauthenticated(err)
	}
	return p, nil
}

func unauthenticated(err error) error { return protocol.Errorf(protocol.Unauthenticated, "%w", err) }

// change adds a call's change to the passport; knew is the last change that the
// call knows of. It returns how often the passport was changed, this change included
// (0: there is nothing different), and the fields that another call has changed which
// this one did not know of: its own values count, as they are later.
func (b *bearer) change(by string, knew uint64, f func(p *passport.Passport)) (change uint64, both []string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, err := b.openLocked(); err != nil {
		return 0, nil, err
	}
	c, err := b.keys.Change(b.sealed, by, time.Now(), f)
	if errors.Is(err, passport.ErrFull) {
		err = protocol.Errorf(protocol.TooLarge, "%w", err)
	}
	if err != nil || len(c.Fields) == 0 {
		return 0, nil, err
	}
	b.sealed, b.p = c.Sealed, c.Passport
	b.times++
	if b.set == nil {
		b.set = map[string]uint64{}
	}
	for _, field := range c.Fields {
		if b.set[field] > knew {
			both = append(both, field)
		}
		b.set[field] = b.times
	}
	return b.times, both, nil
}

// changes is how often it was changed.
func (b *bearer) changes() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.times
}

// current is the sealed passport with every change so far.
func (b *bearer) current() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sealed
}

// call is the context of a running method, which tells of its call.
type call struct {
	context.Context
	bearer *bearer
	by     string // "members@1.2.0"; "": it is answered at once

	personal  atomic.Bool   // this call has looked at the passport
	changed   atomic.Uint64 // the last change of the passport that this call made; 0: none
	knew      atomic.Uint64 // the last change of the passport that this call knows of
	log       *zerolog.Logger
	reader    *peers.Peer // that may not change passports; nil: whoever it is may
	forbidden func()      // counts that it tried

	load *overload
	mu   sync.Mutex
	// guarded by mu
	place *permit // among the calls that run; nil: it has none
	waits int     // for sources, under way
}

type callKey struct{}

func (c *call) Value(key any) any {
	if key == (callKey{}) || key == (waiting.Key{}) {
		return c
	}
	return c.Context.Value(key)
}

var _ waiting.Waiter = (*call)(nil)

// Wait gives the call's place to others while it waits for a source: one that hangs
// does not make the edge refuse what has nothing to do with it, and how long it takes
// says nothing of what the edge can carry.
func (c *call) Wait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits++
	c.place.leave(context.Canceled)
	c.place = nil
}

// Resume takes a place again, if there is one.
func (c *call) Resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waits--; c.waits == 0 {
		c.place = c.load.join()
	}
}

// leave gives the place back for good.
func (c *call) leave(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.place.leave(err)
	c.place = nil
}

func callOf(ctx context.Context) (*call, error) {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return nil, unauthenticated(errors.New("not called through an edge"))
	}
	return c, nil
}

// Passport returns whom the running method's call is made for, or an error with
// [protocol.Unauthenticated] if there is no good passport.
func Passport(ctx context.Context) (passport.Passport, error) {
	c, err := callOf(ctx)
	if err != nil {
		return passport.Passport{}, err
	}
	c.personal.Store(true)
	c.knew.Store(c.bearer.changes())
	return c.bearer.open()
}

// ChangePassport changes whom the rest of the conversation is for: f gets a copy
// of the passport, and what it makes of that is added as a change of the service's:
// see [passport.Keyring.Change]. The conversation's later calls carry it, and it goes
// back with this call's answer.
//
// Where another call of the conversation has changed the passport since this one
// looked at it, f gets it with that change: what differs is merged. A field that both
// have set is as the later one has it, and that is logged. A call of a peer that may
// not change passports fails with [protocol.Forbidden] ([Config.Peers]).
func ChangePassport(ctx context.Context, f func(p *passport.Passport)) error {
	c, err := callOf(ctx)
	if err != nil {
		return err
	}
	if err := c.mayChange(); err != nil {
		if c.reader != nil {
			c.forbidden() // is counted
		}
		return err
	}
	c.personal.Store(true)
	change, both, err := c.bearer.change(c.by, c.knew.Load(), f)
	if change > 0 {
		c.changed.Store(change)
		c.knew.Store(change)
	}
	if len(both) > 0 {
		c.log.Warn().Str("by", c.by).Strs("fields", both).Msg("two calls have changed the same of a passport: the later one counts")
	}
	return err
}

// MayChangePassport says why the running method can't change the passport, nil if it
// may try: for one that does something else first.
func MayChangePassport(ctx context.Context) error {
	c, err := callOf(ctx)
	if err != nil {
		return err
	}
	return c.mayChange()
}

func (c *call) mayChange() error {
	if c.by == "" {
		return protocol.Errorf(protocol.Internal, "the passport can't be changed by what answers at once")
	}
	if c.reader != nil {
		return protocol.Errorf(protocol.Forbidden, "peer %s may not change passports", c.reader.Name)
	}
	return nil
}
