package main

import (
	"context"
	"sync"

	"github.com/jjeffcaii/reactor-go/scheduler"
	"github.com/rsocket/rsocket-go/payload"
	"github.com/rsocket/rsocket-go/rx"
	"github.com/rsocket/rsocket-go/rx/flux"
)

// outbox is what this side sends on a channel: a flux of its own, because
// rsocket-go's (flux.Create and its kin) panic when the line breaks as they
// send. It sends on credit, from one goroutine that lives as long as the
// channel, and never ends in an error, which a peer by rsocket-go would not
// survive.
type outbox struct {
	flux.Flux // empty; rsocket-go calls only what is overridden here
	begin     sync.Once
	to        rx.Subscriber

	mu   sync.Mutex
	cond sync.Cond
	// guarded by mu
	items    []payload.Payload // waiting for credit
	credit   int
	complete bool // nothing more is put
	stopped  bool // nothing more is sent
}

func newOutbox() *outbox {
	o := &outbox{Flux: flux.Empty()}
	o.cond.L = &o.mu
	return o
}

// put queues an item. It does not wait.
func (o *outbox) put(p payload.Payload) { o.change(func() { o.items = append(o.items, p) }) }

// close completes this side's half behind what is queued.
func (o *outbox) close() { o.change(func() { o.complete = true }) }

func (o *outbox) change(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
	o.cond.Broadcast()
}

// Below: what rsocket-go calls.

// SubscribeOn takes no scheduler: run has its own goroutine.
func (o *outbox) SubscribeOn(scheduler.Scheduler) flux.Flux { return o }

// SubscribeWith is called once.
func (o *outbox) SubscribeWith(ctx context.Context, s rx.Subscriber) {
	o.to = s
	s.OnSubscribe(ctx, o)
}

// Request gives credit: for the first item, and then what the peer grants.
func (o *outbox) Request(n int) {
	o.change(func() { o.credit += n })
	o.begin.Do(func() { go o.run() })
}

// Cancel stops it: the line was lost, or the peer is done.
func (o *outbox) Cancel() { o.change(func() { o.stopped = true }) }

func (o *outbox) run() {
	for {
		switch p, state := o.next(); state {
		case sending:
			o.to.OnNext(p)
		case completed:
			o.to.OnComplete()
			return
		case stopped:
			return
		}
	}
}

// The states that next returns.
const (
	sending = iota
	completed
	stopped
)

// next waits for an item and the credit for it.
func (o *outbox) next() (payload.Payload, int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		switch {
		case o.stopped:
			return nil, stopped
		case o.complete && len(o.items) == 0:
			return nil, completed
		case o.credit > 0 && len(o.items) > 0:
			p := o.items[0]
			o.items = o.items[1:]
			o.credit--
			return p, sending
		}
		o.cond.Wait()
	}
}
