package passport

import (
	"context"
	"sync"
)

// Carrier holds the sealed passport of one device request. Calls made for the
// request carry what it holds at that moment, and a service's changes are put
// together in it. The zero value carries none.
type Carrier struct {
	mu      sync.Mutex
	sealed  []byte
	changed bool
}

// NewCarrier returns a carrier of a sealed passport, which may be empty.
func NewCarrier(sealed []byte) *Carrier { return &Carrier{sealed: sealed} }

// Sealed returns the passport as it is now. The bytes must not be changed.
func (c *Carrier) Sealed() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sealed
}

// Take takes the passport that a service has changed, with what other calls have
// changed of it meanwhile: see [Merge], whose error it returns. The passport is then
// as it was.
func (c *Carrier) Take(sealed []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	merged, err := Merge(c.sealed, sealed)
	if err != nil {
		return err
	}
	c.sealed, c.changed = merged, true
	return nil
}

// Changed reports whether a service has changed the passport.
func (c *Carrier) Changed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

type carrierKey struct{}

// NewContext returns a context whose calls are made with this carrier's passport.
func NewContext(ctx context.Context, c *Carrier) context.Context {
	return context.WithValue(ctx, carrierKey{}, c)
}

// FromContext returns the carrier of ctx, an empty one if there is none.
func FromContext(ctx context.Context) *Carrier {
	if c, ok := ctx.Value(carrierKey{}).(*Carrier); ok {
		return c
	}
	return &Carrier{}
}
