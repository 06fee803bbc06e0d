package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rsocket/rsocket-go"
	"github.com/rsocket/rsocket-go/payload"
	"github.com/rsocket/rsocket-go/rx"
)

// conversation is one device request's exchange with the edge: calls and their
// answers, in any order, on one request-channel stream.
//
// One goroutine asks; the answers come on rsocket-go's.
type conversation struct {
	edge rsocket.RSocket
	busy *busy
	out  *outbox

	// used by who asks
	begin  metadata // of the first payload
	opened bool

	mu sync.Mutex
	// guarded by mu
	lastID   uint32
	waiting  map[uint32]*pending
	passport []byte // the changed one; nil while it is as it was
	over     error  // why no more answers come
}

// call is a question. Arguments are a map, nil for none.
type call struct {
	method string
	args   any
}

// pending is a call that was made.
type pending struct {
	method string
	answer chan message // has room for the one answer
}

// credit is how many payloads the edge may send before this side has taken any.
const credit = 32

// converse makes a conversation, which the first call opens. It carries on what
// came with the device request: whom it is for, the trace it belongs to, and the
// time that is left.
func (a *adapter) converse(ctx context.Context, md metadata) *conversation {
	begin := metadata{route: "warmline.conversation", passport: md.passport, traceparent: md.traceparent}
	if deadline, ok := ctx.Deadline(); ok {
		begin.budget = max(time.Until(deadline), time.Millisecond)
	}
	return &conversation{edge: a.edge, busy: &a.busy, out: newOutbox(), begin: begin, waiting: map[uint32]*pending{}}
}

// open opens the channel with the payload that is in the outbox.
//
// What is asked of the subscription is asked inside these functions, because
// rsocket-go does not deliver what waits otherwise. It is never canceled, because
// the edge would not hear of it: a conversation ends by its messages.
func (c *conversation) open() {
	c.busy.stay()
	over := func(err error) {
		c.end(err)
		c.busy.leave()
	}
	var inbound rx.Subscription
	c.edge.RequestChannel(c.out).Subscribe(context.Background(),
		rx.OnSubscribe(func(_ context.Context, s rx.Subscription) {
			inbound = s
			s.Request(credit)
		}),
		rx.OnNext(func(p payload.Payload) error {
			c.take(payload.Clone(p).Data())
			inbound.Request(1)
			return nil
		}),
		rx.OnComplete(func() { over(errors.New("the edge has ended the conversation")) }),
		rx.OnError(over),
	)
}

// ask makes calls, all in one payload. It does not wait for their answers.
func (c *conversation) ask(calls ...call) ([]*pending, error) {
	asked, data, err := c.register(calls)
	if err != nil {
		return nil, err
	}
	if c.opened {
		c.out.put(payload.New(data, nil))
		return asked, nil
	}
	c.opened = true
	c.out.put(payload.New(data, c.begin.encode()))
	c.open()
	return asked, nil
}

// register makes places for the answers, and the messages that ask.
func (c *conversation) register(calls []call) (asked []*pending, data []byte, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over != nil {
		return nil, nil, c.over
	}
	for _, q := range calls {
		c.lastID++
		if data, err = appendMessage(data, kindCall, c.lastID, q.method, q.args); err != nil {
			return nil, nil, fmt.Errorf("arguments of %s: %w", q.method, err)
		}
		p := &pending{q.method, make(chan message, 1)}
		c.waiting[c.lastID] = p
		asked = append(asked, p)
	}
	return asked, data, nil
}

// wait waits for the answer and decodes it.
func (p *pending) wait(ctx context.Context, into any) error {
	select {
	case m := <-p.answer:
		if m.failure != nil {
			return m.failure
		}
		if err := decode(m.result, into); err != nil {
			return fmt.Errorf("the answer to %s: %w", p.method, err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take acts on the messages of one payload.
func (c *conversation) take(data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(data) > 0 {
		m, rest, err := nextMessage(data)
		if err != nil {
			c.fail(fmt.Errorf("the edge sent %w", err))
			return
		}
		data = rest
		switch m.kind {
		case kindPassport:
			c.passport = m.passport // the edge itself uses it for what is asked from now on
		case kindReply, kindFailure:
			if p := c.waiting[m.id]; p != nil {
				delete(c.waiting, m.id)
				p.answer <- m
			}
		}
	}
}

// end is told when no more comes.
func (c *conversation) end(reason error) {
	c.out.Cancel() // there is nobody to send to any more
	if _, told := errors.AsType[rsocket.Error](reason); !told {
		reason = &failure{"unavailable", "the edge does not answer: " + reason.Error()}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail(reason)
}

// fail fails those who wait. The caller holds mu.
func (c *conversation) fail(reason error) {
	if c.over == nil {
		c.over = reason
	}
	for id, p := range c.waiting {
		delete(c.waiting, id)
		p.answer <- message{failure: asFailure(reason)}
	}
}

// changedPassport is the passport that a service has changed, nil if none has.
func (c *conversation) changedPassport() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.passport
}

// close tells the edge that nothing more is asked, and to give up what nobody
// waits for. It does not wait: the edge completes its half when it has.
func (c *conversation) close() {
	if !c.opened {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var data []byte
	for id := range c.waiting {
		delete(c.waiting, id)
		data, _ = appendMessage(data, kindCancel, id) // numbers always encode
	}
	if len(data) > 0 {
		c.out.put(payload.New(data, nil))
	}
	c.out.close()
}
