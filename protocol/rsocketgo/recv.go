package rsocketgo

import (
	"context"
	"fmt"
	"io"

	"github.com/rsocket/rsocket-go/payload"
	"github.com/rsocket/rsocket-go/rx"

	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

func (ch *channel) Recv(ctx context.Context) (rsocket.Payload, error) {
	for {
		ch.mu.Lock()
		switch {
		case len(ch.items) > 0:
			defer ch.mu.Unlock()
			p := ch.items[0]
			ch.items[0] = rsocket.Payload{}
			if ch.items = ch.items[1:]; len(ch.items) == 0 {
				ch.items = nil // an idle channel holds no buffer
			}
			ch.held -= size(p)
			ch.c.unhold(size(p))
			ch.grantAgain()
			return p, nil
		case ch.recvDone:
			defer ch.mu.Unlock()
			if ch.recvErr != nil {
				return rsocket.Payload{}, ch.recvErr
			}
			return rsocket.Payload{}, io.EOF
		}
		changed := ch.canRecv.wait()
		ch.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return rsocket.Payload{}, ctx.Err()
		}
	}
}

// grantAgain gives credit back in halves of the window, so that it costs one
// frame for many items and the peer still never runs dry.
func (ch *channel) grantAgain() {
	if ch.recvDone || ch.concluded {
		return
	}
	ch.taken++
	if ch.taken < (ch.c.cfg.Window+1)/2 {
		return
	}
	ch.c.wire.say(frame.AppendRequestN(nil, ch.id, uint32(ch.taken)))
	ch.quota += ch.taken
	ch.taken = 0
}

// payload judges an item, an end, or both.
func (ch *channel) payload(f *frame.Frame) (pass bool) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	next, complete := f.Has(frame.FlagNext), f.Has(frame.FlagComplete)
	if ch.recvDone || ch.concluded || !next && !complete {
		return false
	}
	if next {
		n := len(f.Metadata) + len(f.Data)
		switch {
		case ch.quota == 0:
			ch.breakOff(&rsocket.Error{Code: frame.CodeInvalid, Message: "more items than credit was granted for"})
			return false
		case !ch.c.hold(n):
			ch.breakOff(&rsocket.Error{Code: frame.CodeCanceled, Message: fmt.Sprintf("the items of this connection that wait to be read exceed %d bytes", ch.c.cfg.MaxUnread)})
			return false
		}
		ch.quota--
		ch.held += n
	}
	ch.complete, ch.concluded = complete, complete
	return true
}

// inflow is what arrives on a stream, as the library delivers it. The library is
// granted all there is at once: asked later, it would not deliver what waits.
type inflow struct{ ch *channel }

func (i inflow) OnSubscribe(_ context.Context, s rx.Subscription) {
	c := i.ch.c
	switch {
	case i.ch.requester: // who asks is inside the library already
		s.Request(rx.RequestMax)
	case c.gate.enter(): // otherwise the connection has ended
		s.Request(rx.RequestMax)
		c.gate.leave()
	}
}

func (i inflow) OnNext(p payload.Payload) {
	item := keep(p)
	ch := i.ch
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if !ch.recvDone { // otherwise it was dropped by discard
		ch.items = append(ch.items, item)
		ch.canRecv.fire()
	}
}

func (i inflow) OnComplete() {
	ch := i.ch
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.complete {
		ch.endRecv(nil)
	}
	if ch.later != nil {
		ch.endBoth(ch.later)
	}
}

func (i inflow) OnError(err error) {
	i.ch.mu.Lock()
	defer i.ch.mu.Unlock()
	i.ch.endBoth(i.ch.c.told(err))
}
