package main

import (
	"context"

	"github.com/rsocket/rsocket-go/payload"
	"github.com/rsocket/rsocket-go/rx"
	"github.com/rsocket/rsocket-go/rx/mono"
)

// answer is the reply to one request: a mono that runs a function when
// rsocket-go subscribes to it. When the peer gives up, or the line is lost, the
// function's context ends. after is called when the reply is on its way.
//
// It is not mono.Create: that one answers a CANCEL itself while the function may
// be answering too, and rsocket-go has recycled the stream by then.
type answer struct {
	mono.Mono // empty; rsocket-go calls only what is overridden here
	run       func(ctx context.Context) (payload.Payload, error)
	after     func()
}

func newAnswer(run func(ctx context.Context) (payload.Payload, error), after func()) mono.Mono {
	return &answer{mono.Empty(), run, after}
}

// SubscribeWith is called once, on a goroutine that may wait.
func (a *answer) SubscribeWith(ctx context.Context, s rx.Subscriber) {
	ctx, cancel := context.WithCancel(ctx)
	defer a.after()
	defer cancel()
	s.OnSubscribe(context.WithoutCancel(ctx), subscription(cancel))
	reply, err := a.run(ctx)
	if err != nil {
		s.OnError(err)
		return
	}
	s.OnNext(reply)
	s.OnComplete()
}

// subscription cancels a context.
type subscription context.CancelFunc

// Request does nothing: one reply needs no credit.
func (subscription) Request(int) {}

// Cancel ends the context.
func (c subscription) Cancel() { c() }
