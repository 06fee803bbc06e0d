package interop

import (
	"context"

	"github.com/rsocket/rsocket-go/payload"
	"github.com/rsocket/rsocket-go/rx"
	"github.com/rsocket/rsocket-go/rx/mono"
)

// answer is a mono that runs a function when it is subscribed to. A peer that
// gives up ends the function's context and no more: the subscriber is told the
// outcome once, by one goroutine.
type answer struct {
	mono.Mono // empty; rsocket-go calls only what is overridden here
	run       func(ctx context.Context) (message, error)
}

func newAnswer(run func(ctx context.Context) (message, error)) mono.Mono {
	return &answer{mono.Empty(), run}
}

func (a *answer) SubscribeWith(ctx context.Context, s rx.Subscriber) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.OnSubscribe(context.WithoutCancel(ctx), giveUp(cancel))
	reply, err := a.run(ctx)
	if err != nil {
		s.OnError(err)
		return
	}
	s.OnNext(payload.New([]byte(reply.data), []byte(reply.metadata)))
	s.OnComplete()
}

// giveUp is the subscription to an answer.
type giveUp context.CancelFunc

func (giveUp) Request(int) {}
func (c giveUp) Cancel()   { c() }
