package interop

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/jjeffcaii/reactor-go/scheduler"
	"github.com/rsocket/rsocket-go/payload"
	"github.com/rsocket/rsocket-go/rx"
	"github.com/rsocket/rsocket-go/rx/flux"
)

// outbox is what rsocket-go's end sends on a channel: a flux that sends on
// credit, from one goroutine, and stops without a word when it is cancelled.
type outbox struct {
	flux.Flux // empty; rsocket-go calls only what is overridden here
	left      *atomic.Int64
	onCancel  func()
	begin     sync.Once

	mu   sync.Mutex
	cond sync.Cond
	// guarded by mu
	to       rx.Subscriber
	items    []string
	credit   int
	ended    bool // nothing is put any more
	err      error
	canceled bool
}

func newOutbox(onCancel func()) *outbox {
	o := &outbox{Flux: flux.Empty(), left: new(atomic.Int64), onCancel: onCancel}
	o.cond.L = &o.mu
	return o
}

// put queues items.
func (o *outbox) put(items ...string) {
	o.change(func() { o.items = append(o.items, items...) })
}

// complete ends the flux behind the items that are queued, fail at once.
func (o *outbox) complete()      { o.change(func() { o.ended = true }) }
func (o *outbox) fail(err error) { o.change(func() { o.err = err }) }

func (o *outbox) change(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
	o.cond.Broadcast()
}

// Below: what rsocket-go calls.

func (o *outbox) SubscribeOn(scheduler.Scheduler) flux.Flux { return o }

func (o *outbox) SubscribeWith(ctx context.Context, s rx.Subscriber) {
	o.to = s
	s.OnSubscribe(context.WithoutCancel(ctx), o) // it asks for the first items
}

func (o *outbox) Request(n int) {
	o.change(func() { o.credit += n })
	o.begin.Do(func() { go o.run() })
}

func (o *outbox) Cancel() {
	o.change(func() { o.canceled = true })
	if o.onCancel != nil {
		o.onCancel()
	}
}

func (o *outbox) run() {
	for {
		item, end := o.next()
		if end != nil {
			end()
			return
		}
		o.left.Add(1)
		o.to.OnNext(payload.New([]byte(item), nil))
	}
}

// next waits for an item and the credit for it, or returns how the flux ends.
func (o *outbox) next() (item string, end func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		switch {
		case o.canceled:
			return "", func() {}
		case o.err != nil:
			err := o.err
			return "", func() { o.to.OnError(err) }
		case o.ended && len(o.items) == 0:
			return "", o.to.OnComplete
		case len(o.items) > 0 && o.credit > 0:
			item, o.items = o.items[0], o.items[1:]
			o.credit--
			return item, nil
		}
		o.cond.Wait()
	}
}
