package revocations

import (
	"context"
	"encoding/json"
	"time"

	"warmline.dev/internal/bus"
)

const (
	mostUntold = 4096
	tellAgain  = 100 * time.Millisecond
)

// Teller is an account source's: it tells account events on the bus, in their order,
// and what it could not tell when the bus is back. Make it with [NewTeller]; whoever
// does closes it, before the bus.
type Teller struct {
	bus    *bus.Bus
	events chan []byte
	cancel context.CancelFunc
	told   chan struct{} // closed when nothing more is told
}

// NewTeller makes one.
func NewTeller(b *bus.Bus) *Teller {
	ctx, cancel := context.WithCancel(context.Background())
	t := &Teller{bus: b, events: make(chan []byte, mostUntold), cancel: cancel, told: make(chan struct{})}
	go t.run(ctx)
	return t
}

// Tell takes an event, which JSON can encode. While more than 4,096 wait it waits for
// room: nothing is forgotten.
func (t *Teller) Tell(event any) error {
	data, err := json.Marshal(event)
	if err != nil {
		return err
	}
	select {
	case t.events <- data:
	case <-t.told:
	}
	return nil
}

func (t *Teller) run(ctx context.Context) {
	defer close(t.told)
	for {
		select {
		case data := <-t.events:
			for t.bus.Publish(ctx, AccountSubject, data) != nil {
				select {
				case <-time.After(tellAgain):
				case <-ctx.Done():
					return
				}
			}
		case <-ctx.Done():
			return
		}
	}
}

// Close gives up what has not been told.
func (t *Teller) Close() {
	t.cancel()
	<-t.told
}
