package edgelayer

import (
	"context"
	"sync"
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
	answers []*asked
	first   time.Time // when the oldest of them was put in
	coming  bool      // it is among the conversation's work
	sending bool

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
	now := time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answers = append(o.answers, a)
	if len(o.answers) == 1 {
		o.first = now
	}
	if now.Sub(o.first) > gathering && !o.sending {
		o.send()
		return
	}
	o.schedule()
}

// schedule puts it behind the calls that wait. The caller holds mu.
func (o *outbox) schedule() {
	if len(o.answers) > 0 && !o.coming && !o.sending {
		o.coming = true
		o.c.work.addAtEnd(o)
	}
}

// run sends the answers, in its turn.
func (o *outbox) run() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.coming = false
	if len(o.answers) > 0 && !o.sending {
		o.send()
	}
}

// send sends what is there. The caller holds mu, which is released meanwhile.
func (o *outbox) send() {
	answers := o.answers
	o.answers, o.sending = nil, true
	o.mu.Unlock()
	for left := answers; len(left) > 0; {
		left = left[o.sendSome(left):]
	}
	o.c.calls.answered(len(answers))
	o.mu.Lock()
	o.sending = false
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
	o.m = a.answer()
	if err == nil {
		var with []byte
		if with, err = codec.AppendMessage(data, &o.m); err == nil {
			return with
		}
	}
	data, _ = codec.AppendMessage(data, shorter(&o.m, err)) // text: always an encoding
	return data
}
