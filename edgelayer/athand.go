package edgelayer

import (
	"sync"

	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// atHand is what a conversation's goroutine answers calls with itself, and those
// answers until they leave: together, when all is answered that the adapter has asked
// together, as far as it is at hand. The goroutine does not wait for the adapter to
// take them. Then they are the outbox's, and calls are run until they have left.
type atHand struct {
	c    *conversation
	most int // bytes of answers that leave in one payload

	// owned by the conversation's goroutine
	call  call // the context of all that is answered at once
	*desk      // nil while nothing is answered
}

// desk is where answers are made: one conversation after another has it, so that none
// that asks nothing holds any.
type desk struct {
	question []byte
	m        protocol.Message
	answers  []byte
}

var desks = sync.Pool{New: func() any { return new(desk) }}

// sit takes a desk.
func (h *atHand) sit() {
	if h.desk == nil {
		h.desk = desks.Get().(*desk)
	}
}

// rise sends what is there and gives the desk back.
func (h *atHand) rise() {
	if h.desk == nil {
		return
	}
	h.send()
	h.m = protocol.Message{}
	if cap(h.answers) <= together && cap(h.question) <= together {
		desks.Put(h.desk)
	}
	h.desk = nil
}

// room reports whether there is any for more answers.
func (h *atHand) room() bool { return !h.c.outbox.behind.Load() }

// add adds the answer to a call.
func (h *atHand) add(id uint32, out outcome, seen bool) {
	if len(out.result) > h.most {
		h.addLarge(id, out, seen)
		return
	}
	h.sit()
	h.m = out.message(id, seen)
	with, err := h.c.l.codec.AppendMessage(h.answers, &h.m)
	if err != nil {
		with, _ = h.c.l.codec.AppendMessage(h.answers, shorter(&h.m, err)) // text: always an encoding
	}
	if len(with) <= h.most {
		h.answers = with
		return
	}
	own := with[len(h.answers):]
	h.send()
	if len(own) > h.most {
		h.addLarge(id, out, seen)
		return
	}
	h.answers = append(h.answers, own...)
}

// addLarge leaves to the outbox what fills a payload of its own, or fits none.
func (h *atHand) addLarge(id uint32, out outcome, seen bool) {
	h.c.outbox.putLarge(&asked{c: h.c, m: protocol.Message{ID: id}, out: out, seen: seen})
}

// send sends what is there, or has the outbox send it.
func (h *atHand) send() {
	if len(h.answers) == 0 {
		return
	}
	if ch, ok := h.c.ch.(rsocket.TrySender); ok {
		if sent, err := ch.TrySend(rsocket.Payload{Data: h.answers}); sent || err != nil { // with an error the channel has ended
			h.answers = h.answers[:0]
			return
		}
	}
	h.c.outbox.putPayload(h.answers)
	h.answers = nil
}
