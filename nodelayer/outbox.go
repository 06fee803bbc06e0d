package nodelayer

import (
	"slices"
	"time"

	"warmline.dev/nodelayer/internal/line"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// outbox holds the messages of a conversation that have not left. What gathers
// leaves in one payload: so calls that refer to one another and are started one
// behind the other cross together, and the first of them open the channel, before
// the edge has granted any credit. It is guarded by the conversation's mu.
type outbox struct {
	messages []outgoing
	sending  bool // a goroutine sends
	timer    *time.Timer
}

// outgoing is one message.
type outgoing struct {
	call uint32 // its id, if the message is the call itself; otherwise 0
	data []byte
}

// gathering is how long the first calls wait for more to leave with, unless
// somebody waits for an answer.
const gathering = time.Millisecond

func (o *outbox) clear() {
	o.messages = nil
	if o.timer != nil {
		o.timer.Stop()
	}
}

// drop takes a call back that has not left; false if it has.
func (o *outbox) drop(call uint32) bool {
	for i, m := range o.messages {
		if m.call == call {
			o.messages = slices.Delete(o.messages, i, i+1)
			return true
		}
	}
	return false
}

// batch takes what leaves together.
func (o *outbox) batch(most int) []byte {
	n, size := 0, 0
	for n < len(o.messages) && (n == 0 || size+len(o.messages[n].data) <= most) {
		size += len(o.messages[n].data)
		n++
	}
	b := make([]byte, 0, size)
	for _, m := range o.messages[:n] {
		b = append(b, m.data...)
	}
	o.messages = slices.Delete(o.messages, 0, n)
	return b
}

// post puts a message into the outbox. The caller holds mu.
func (c *Conversation) post(l *line.Line, call uint32, m *protocol.Message) error {
	data, err := l.Codec.AppendMessage(nil, m)
	if err == nil {
		c.outbox.messages = append(c.outbox.messages, outgoing{call, data})
	}
	return err
}

// flush sees to it that what has been posted leaves. The caller holds mu.
func (c *Conversation) flush() {
	o := &c.outbox
	if o.timer != nil {
		o.timer.Stop()
		o.timer = nil
	}
	if len(o.messages) > 0 && !o.sending && c.ended == nil {
		o.sending = true
		c.wg.Go(c.send)
	}
}

// flushSoon is flush for who does not wait for an answer yet. Only what opens the
// channel has a reason to wait: what is posted behind it takes credit, which
// comes a round trip later. The caller holds mu.
func (c *Conversation) flushSoon() {
	switch {
	case c.ch != nil || c.outbox.sending:
		c.flush()
	case c.outbox.timer == nil:
		c.outbox.timer = time.AfterFunc(gathering, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.flush()
		})
	}
}

// send sends what has been posted until there is nothing left.
func (c *Conversation) send() {
	for {
		c.mu.Lock()
		if len(c.outbox.messages) == 0 || c.ended != nil {
			c.outbox.sending = false
			c.mu.Unlock()
			return
		}
		stage, m, l, ch := c.stage, c.member, c.line, c.ch
		b := c.outbox.batch(c.edge.cfg.MaxMessage)
		c.mu.Unlock()
		var err error
		if ch == nil {
			err = c.open(stage, m, l, b)
		} else {
			err = ch.Send(c.ctx, rsocket.Payload{Data: b})
		}
		if err != nil {
			c.lost(stage, err)
		}
	}
}
