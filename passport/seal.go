package passport

import (
	"errors"
	"fmt"
	"time"
)

// MaxSealed is the longest sealed passport that is made or opened, in bytes.
const MaxSealed = 4 << 10

// margin is how far the clocks of those who mint and those who verify may be apart.
const margin = time.Minute

// What is wrong with a sealed passport. [Keyring.Open] wraps one of them.
var (
	ErrMissing   = errors.New("passport: missing")
	ErrMalformed = errors.New("passport: not a sealed passport")
	ErrForged    = errors.New("passport: forged: the signature is not by a key known here")
	ErrExpired   = errors.New("passport: expired")
	ErrFuture    = errors.New("passport: from the future: minted more than a minute ahead of this clock")
	ErrAudience  = errors.New("passport: for another audience")
)

// ErrFull is wrapped by the error of [Keyring.Seal] and [Keyring.Change] when a
// passport takes more than [MaxSealed] bytes, or has had [MaxChanges] changes.
var ErrFull = errors.New("passport: too much to carry")

// Seal signs p, with the current key, for the keyring's audience.
func (r *Keyring) Seal(p Passport) ([]byte, error) {
	p.Audience = r.audience
	if err := p.Check(); err != nil {
		return nil, err
	}
	if p.Expires.IsZero() {
		return nil, errors.New("passport: no expiry time")
	}
	var room [512]byte
	body := appendBody(room[:0], &p)
	current := r.held.Load().current
	sealed := current.appendLink(make([]byte, 0, len(body)+len(current.name)+macLen+16), nil, body)
	if len(sealed) > MaxSealed {
		return nil, fmt.Errorf("%w: %d bytes, expected at most %d: carry what is large as a reference", ErrFull, len(sealed), MaxSealed)
	}
	return sealed, nil
}

// Open verifies a sealed passport with all its changes: the signatures first, and
// nothing is read from one that fails. The error wraps [ErrMissing], [ErrMalformed],
// [ErrForged], [ErrExpired], [ErrFuture] or [ErrAudience], and shows nothing of the
// passport.
func (r *Keyring) Open(sealed []byte, now time.Time) (Passport, error) {
	return r.openWith(r.held.Load(), sealed, now)
}

func (r *Keyring) openWith(keys *held, sealed []byte, now time.Time) (Passport, error) {
	if len(sealed) == 0 {
		return Passport{}, ErrMissing
	}
	p, known := keys.seen.find(sealed)
	if !known {
		c, err := keys.verify(sealed)
		if err != nil {
			return Passport{}, err
		}
		p, _ = c.now()
		keys.seen.keep(sealed, p)
	}
	if err := r.holds(&p, now); err != nil {
		return Passport{}, err
	}
	return p, nil
}

// holds says why a passport that is genuine does not count here and now.
func (r *Keyring) holds(p *Passport, now time.Time) error {
	switch {
	case p.Audience != r.audience:
		return ErrAudience
	case !now.Before(p.Expires):
		return ErrExpired
	case p.Issued.After(now.Add(margin)):
		return ErrFuture
	}
	return nil
}

// verify reads a sealed passport whose signatures are good, each of them over those
// before.
func (h *held) verify(sealed []byte) (*chain, error) {
	var room [4]link
	list, err := links(room[:], sealed)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if !h.good(list, i) {
			return nil, ErrForged
		}
	}
	return parse(list)
}

// Changed is a passport that has been changed.
type Changed struct {
	Sealed   []byte
	Passport Passport
	Fields   []string // that the change has set; none: nothing is different
}

// Change opens a sealed passport, has f change a copy of it, and adds what is
// different as a change by who is named, at now. What a service can't change
// (Audience, Origin, Issued, Expires, References) is as it was. The error is one of
// [Keyring.Open]'s, says what is wrong with what f made of it, or wraps [ErrFull].
func (r *Keyring) Change(sealed []byte, by string, now time.Time, f func(p *Passport)) (Changed, error) {
	keys := r.held.Load()
	before, err := r.openWith(keys, sealed, now)
	if err != nil {
		return Changed{}, err
	}
	after := before.Clone()
	f(&after)
	set := difference(&before, &after)
	if len(set) == 0 {
		return Changed{Sealed: sealed, Passport: before}, nil
	}
	after.Audience, after.Origin, after.Issued, after.Expires = before.Audience, by, before.Issued, before.Expires
	if err := after.Check(); err != nil {
		return Changed{}, err
	}
	var room [4]link
	list, err := links(room[:], sealed)
	if err != nil {
		return Changed{}, err
	}
	c, err := parse(list) // Open has verified it
	if err != nil {
		return Changed{}, err
	}
	at := now.UnixMicro()
	for i := range c.changes {
		at = max(at, c.changes[i].at+1) // what it knew was before
	}
	changed := append(make([]byte, 0, len(sealed)+256), sealed...)
	changed = keys.current.appendLink(changed, c.last(list), appendChange(nil, by, at, set))
	if len(list) > MaxChanges || len(changed) > MaxSealed {
		return Changed{}, fmt.Errorf("%w: %d changes in %d bytes, expected at most %d in %d", ErrFull, len(list), len(changed), MaxChanges, MaxSealed)
	}
	p, err := r.openWith(keys, changed, now)
	return Changed{Sealed: changed, Passport: p, Fields: set.fields()}, err
}

// History verifies a sealed passport, as [Keyring.Open] does, and says who made it
// what it is.
func (r *Keyring) History(sealed []byte, now time.Time) (History, error) {
	c, err := r.held.Load().verify(sealed)
	if err != nil {
		return History{}, err
	}
	h := c.history()
	if err := r.holds(&h.Now, now); err != nil {
		return History{}, err
	}
	return h, nil
}

// Peek reads a sealed passport without verifying it: for adapters, which hold no
// key. Who it came from must be trusted.
func Peek(sealed []byte) (Passport, error) {
	c, err := peek(sealed)
	if err != nil {
		return Passport{}, err
	}
	p, _ := c.now()
	return p, nil
}

// PeekHistory is [Keyring.History] without verifying anything.
func PeekHistory(sealed []byte) (History, error) {
	c, err := peek(sealed)
	if err != nil {
		return History{}, err
	}
	return c.history(), nil
}

func peek(sealed []byte) (*chain, error) {
	var room [4]link
	list, err := links(room[:], sealed)
	if err != nil {
		return nil, err
	}
	return parse(list)
}
