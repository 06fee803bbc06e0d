package rsocketgo

import (
	"context"
	"io"

	"github.com/jjeffcaii/reactor-go/scheduler"
	"github.com/rsocket/rsocket-go/payload"
	"github.com/rsocket/rsocket-go/rx"
	"github.com/rsocket/rsocket-go/rx/flux"

	"warmline.dev/protocol/rsocket"
)

func (ch *channel) Send(ctx context.Context, p rsocket.Payload) error {
	if err := ch.c.fits(p); err != nil {
		return err
	}
	if err := ch.spend(ctx); err != nil {
		return err
	}
	if err := ch.c.takeRoom(ctx); err != nil {
		ch.granted(1) // it was not used
		return err
	}
	if !ch.c.gate.enter() {
		ch.c.giveRoom()
		return ch.c.Err()
	}
	defer ch.c.gate.leave()
	ch.toward.Lock()
	defer ch.toward.Unlock()
	ch.mu.Lock()
	over, err := ch.sendDone, ch.sendError()
	ch.mu.Unlock()
	if over {
		ch.c.giveRoom()
		return err
	}
	ch.to.OnNext(lend(p))
	return nil
}

// spend waits for credit and takes one.
func (ch *channel) spend(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		ch.mu.Lock()
		if ch.sendDone {
			defer ch.mu.Unlock()
			return ch.sendError()
		}
		if ch.credit > 0 {
			ch.credit--
			ch.mu.Unlock()
			return nil
		}
		changed := ch.canSend.wait()
		ch.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// sendError is called with mu held.
func (ch *channel) sendError() error {
	if ch.sendErr != nil {
		return ch.sendErr
	}
	return io.ErrClosedPipe
}

func (ch *channel) CloseSend() error {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.sendDone {
		return ch.sendErr
	}
	ch.tell(func(to rx.Subscriber) { to.OnComplete() })
	ch.endSend(nil)
	return nil
}

// outflow is what this side sends on a stream, as the library subscribes to it.
// It is a flux of its own: the library's (flux.Create and its kin) panic when
// the connection is lost as they send. Credit is counted by the channel.
type outflow struct {
	flux.Flux // empty; the library calls only what is overridden here
	ch        *channel
	first     payload.Payload // a requester's
	serve     func()          // a responder's handler
}

// SubscribeOn takes no scheduler: nothing here waits.
func (o *outflow) SubscribeOn(scheduler.Scheduler) flux.Flux { return o }

// SubscribeWith is called once.
func (o *outflow) SubscribeWith(_ context.Context, s rx.Subscriber) {
	o.ch.to = s
	s.OnSubscribe(context.Background(), o)
	if o.first != nil {
		s.OnNext(o.first)
		return
	}
	c := o.ch.c
	if c.gate.enter() { // otherwise the connection has ended
		c.wg.Go(o.serve)
		c.gate.leave()
	}
}

// Request gives credit, of which the read loop has told the channel.
func (o *outflow) Request(int) {}

// Cancel is called when the connection has ended.
func (o *outflow) Cancel() {}
