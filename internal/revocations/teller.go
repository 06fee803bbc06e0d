package revocations

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"warmline.dev/internal/bus"
)

const (
	mostUntold = 4096
	tellAgain  = 250 * time.Millisecond
)

// Teller is an account source's: it tells account events on the bus, again and again
// until a publisher says that it has taken them, as the bus itself keeps nothing. Make
// it with [NewTeller]; whoever does closes it, before the bus.
type Teller struct {
	bus    *bus.Bus
	taken  *bus.Subscription
	wake   chan struct{} // holds one while there is something new to tell
	cancel context.CancelFunc
	ended  chan struct{} // closed when nothing more is told

	mu     sync.Mutex
	room   sync.Cond // mu's; told when there is
	untold []event   // guarded by mu: not known to be taken, in their order
	closed bool      // guarded by mu
}

// event is one that waits for a publisher.
type event struct {
	id   string
	data []byte
	last time.Time // when it was told; zero: not yet
}

// NewTeller makes one. The error is the bus's.
func NewTeller(b *bus.Bus) (*Teller, error) {
	ctx, cancel := context.WithCancel(context.Background())
	t := &Teller{bus: b, wake: make(chan struct{}, 1), cancel: cancel, ended: make(chan struct{})}
	t.room.L = &t.mu
	var err error
	if t.taken, err = b.Subscribe(TakenSubject, func(_ string, data []byte) { t.forget(data) }, t.hurry); err != nil {
		cancel()
		return nil, err
	}
	go t.run(ctx)
	return t, nil
}

// Tell takes an event, which JSON encodes as an object. While 4,096 wait for a publisher
// it waits for room: nothing is forgotten.
func (t *Teller) Tell(what any) error {
	data, err := json.Marshal(what)
	if err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	id := rand.Text()
	fields["id"], _ = json.Marshal(id) // text: it always encodes
	if data, err = json.Marshal(fields); err != nil {
		return err
	}
	t.mu.Lock()
	for len(t.untold) >= mostUntold && !t.closed {
		t.room.Wait()
	}
	if t.closed {
		t.mu.Unlock()
		return errors.New("closed: an account event is not told")
	}
	t.untold = append(t.untold, event{id: id, data: data})
	t.mu.Unlock()
	t.hurry()
	return nil
}

func (t *Teller) hurry() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// taken is what a publisher says of what it has told and put on disk.
type taken struct {
	IDs []string `json:"ids"`
}

// forget forgets what a publisher has taken.
func (t *Teller) forget(data []byte) {
	var said taken
	if json.Unmarshal(data, &said) != nil {
		return
	}
	gone := make(map[string]bool, len(said.IDs))
	for _, id := range said.IDs {
		gone[id] = true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	left := t.untold[:0]
	for _, e := range t.untold {
		if !gone[e.id] {
			left = append(left, e)
		}
	}
	clear(t.untold[len(left):])
	t.untold = left
	t.room.Broadcast()
}

func (t *Teller) run(ctx context.Context) {
	defer close(t.ended)
	again := time.NewTicker(tellAgain)
	defer again.Stop()
	for {
		for _, data := range t.due() {
			if t.bus.Publish(ctx, AccountSubject, data) != nil {
				break // it is due again soon
			}
		}
		select {
		case <-t.wake:
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}

// due is what has not been told for a while.
func (t *Teller) due() (due [][]byte) {
	const some = 256 // at once: the bus confirms each
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.untold {
		if e := &t.untold[i]; now.Sub(e.last) >= tellAgain && len(due) < some {
			e.last = now
			due = append(due, e.data)
		}
	}
	return due
}

// Close gives up what has not been taken. It may be called twice.
func (t *Teller) Close() {
	t.mu.Lock()
	t.closed = true
	t.room.Broadcast()
	t.mu.Unlock()
	t.cancel()
	<-t.ended
	t.taken.Close()
}
