package edgelayer

import (
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
	call     call // the context of all that is answered at once
	question []byte
	m        protocol.Message
	answers  []byte
}

// room reports whether there is any for more answers.
func (h *atHand) room() bool { return !h.c.outbox.behind.Load() }

// add adds the answer to a call.
func (h *atHand) add(id uint32, out outcome, seen bool) {
	if len(out.result) > h.most {
		h.addLarge(id, out, seen)
		return
	}
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
			h.empty()
			return
		}
	}
	h.c.outbox.putPayload(h.answers)
	h.answers = nil
}

// empty forgets what has left.
func (h *atHand) empty() {
	h.m, h.answers = protocol.Message{}, h.answers[:0]
	if cap(h.answers) > together {
		h.answers = nil
	}
	if cap(h.question) > together {
		h.question = nil
	}
}
