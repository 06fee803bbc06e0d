package edgelayer

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// outbox holds the answers of a conversation that have not left. They leave in
// one payload, behind the calls that waited to be run when the first of them was
// put in: so what an adapter asks together is answered together as far as it is
// answered from memory, and its next questions come together, too.
type outbox struct {
	c   *conversation
	ctx context.Context // the conversation's

	mu sync.Mutex
	// guarded by mu
	answers  []*asked
	first    time.Time // when the oldest of them was put in
	payloads [][]byte  // of answers at hand that could not leave at once
	coming   bool      // it is among the conversation's work
	sending  bool

	behind atomic.Bool // such payloads have not left yet

	// owned by whoever sends
	m    protocol.Message
	data []byte
}

const (
	gathering = 100 * time.Microsecond // for which an answer waits for calls that are run
	together  = 64 << 10               // bytes of answers that leave in one payload; no more than one message may have
)

// put puts the answer of a call in, as the last that the call does, and sees to it
// that it leaves.
func (o *outbox) put(a *asked) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.add(a)
	if now.Sub(o.first) > gathering && !o.sending {
		o.send()
		return
	}
	o.schedule()
}

// add adds an answer and returns when that was. The caller holds mu.
func (o *outbox) add(a *asked) (now time.Time) {
	now = time.Now()
	if o.answers = append(o.answers, a); len(o.answers) == 1 {
		o.first = now
	}
	return now
}

// putLarge puts an answer in that was at hand and fills a payload of its own.
func (o *outbox) putLarge(a *asked) {
	o.c.calls.late()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.add(a)
	o.come()
}

// putPayload puts answers in that were at hand.
func (o *outbox) putPayload(data []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.behind.Store(true)
	o.payloads = append(o.payloads, data)
	o.come()
}

// come has a worker look, for who is none. The caller holds mu.
func (o *outbox) come() {
	if !o.coming && !o.sending {
		o.coming = true
		o.c.work.add(o)
	}
}

// any reports whether there is something to send. The caller holds mu.
func (o *outbox) any() bool { return len(o.answers) > 0 || len(o.payloads) > 0 }

// schedule puts it behind the calls that wait. The caller holds mu.
func (o *outbox) schedule() {
	if o.any() && !o.coming && !o.sending {
		o.coming = true
		o.c.work.addAtEnd(o)
	}
}

// run sends the answers, in its turn.
func (o *outbox) run() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.coming = false
	if o.any() && !o.sending {
		o.send()
	}
}

// send sends what is there. The caller holds mu, which is released meanwhile.
func (o *outbox) send() {
	answers, payloads := o.answers, o.payloads
	o.answers, o.payloads, o.sending = nil, nil, true
	o.mu.Unlock()
	for _, data := range payloads {
		_ = o.c.ch.Send(o.ctx, rsocket.Payload{Data: data}) // it fits; if it fails the channel has ended
	}
	for left := answers; len(left) > 0; {
		left = left[o.sendSome(left):]
	}
	o.c.calls.answered(len(answers))
	o.mu.Lock()
	o.sending = false
	if len(o.payloads) == 0 {
		o.behind.Store(false)
	}
	o.schedule()
}

// sendSome sends as many answers as fit into one payload and returns how many.
func (o *outbox) sendSome(answers []*asked) (n int) {
	most := min(together, o.c.l.s.cfg.MaxMessage)
	o.data = o.data[:0]
	for n < len(answers) && (n == 0 || len(o.data)+len(answers[n].out.result) <= most) {
		o.data = o.append(o.data, answers[n], nil)
		n++
	}
	err := o.c.ch.Send(o.ctx, rsocket.Payload{Data: o.data})
	if err != nil && n > 1 && o.ctx.Err() == nil {
		n, o.data = 1, o.append(o.data[:0], answers[0], nil) // all together they may not fit
		err = o.c.ch.Send(o.ctx, rsocket.Payload{Data: o.data})
	}
	if err != nil && o.ctx.Err() == nil {
		o.data = o.append(o.data[:0], answers[0], err)
		_ = o.c.ch.Send(o.ctx, rsocket.Payload{Data: o.data}) // if that fails too, the channel has ended
	}
	o.m = protocol.Message{}
	if cap(o.data) > together {
		o.data = nil
	}
	return n
}

// append appends an answer, behind the passport as it is now: so the last that an
// adapter is told is the last. An answer that can't be sent, because of err, or
// encoded is a failure.
func (o *outbox) append(data []byte, a *asked, err error) []byte {
	codec := o.c.l.codec
	if a.changed() {
		data, _ = codec.AppendMessage(data, &protocol.Message{Kind: protocol.KindPassport, Passport: o.c.bearer.current()}) // bytes: always an encoding
	}
	if a.givenUp {
		return data
	}
	o.m = a.out.message(a.m.ID, a.seen)
	if err == nil {
		var with []byte
		if with, err = codec.AppendMessage(data, &o.m); err == nil {
			return with
		}
	}
	data, _ = codec.AppendMessage(data, shorter(&o.m, err)) // text: always an encoding
	return data
}
