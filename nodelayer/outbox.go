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
	data     []byte // theirs, one behind the other
	sending  bool   // a goroutine sends
	timer    *time.Timer
	m        protocol.Message // being encoded
}

// outgoing is one message.
type outgoing struct {
	call uint32 // its id, if the message is the call itself; otherwise 0
	size int    // of its data
}

// gathering is how long the first calls wait for more to leave with, unless
// somebody waits for an answer.
const gathering = time.Millisecond

func (o *outbox) clear() {
	o.messages, o.data = nil, nil
	if o.timer != nil {
		o.timer.Stop()
	}
}

// drop takes a call back that has not left; false if it has.
func (o *outbox) drop(call uint32) bool {
	at := 0
	for i, m := range o.messages {
		if m.call == call {
			o.messages = slices.Delete(o.messages, i, i+1)
			o.data = slices.Delete(o.data, at, at+m.size)
			return true
		}
		at += m.size
	}
	return false
}

// batch takes what leaves together.
func (o *outbox) batch(most int) []byte {
	n, size := 0, 0
	for n < len(o.messages) && (n == 0 || size+o.messages[n].size <= most) {
		size += o.messages[n].size
		n++
	}
	b := o.data[:size:size]
	if o.data = o.data[size:]; len(o.data) == 0 {
		o.data = nil
	}
	o.messages = slices.Delete(o.messages, 0, n)
	return b
}

// post puts a message into the outbox. The caller holds mu.
func (c *Conversation) post(l *line.Line, call uint32, m protocol.Message) error {
	o := &c.outbox
	if o.data == nil {
		o.data = make([]byte, 0, 256)
	}
	o.m = m
	data, err := l.Codec.AppendMessage(o.data, &o.m)
	if err == nil {
		o.messages = append(o.messages, outgoing{call, len(data) - len(o.data)})
		o.data = data
	}
	o.m = protocol.Message{}
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

// send sends what has been posted until there is nothing left. Who has opened the
// channel receives, and leaves to another what is posted from then on.
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
		if ch != nil {
			err = ch.Send(c.ctx, rsocket.Payload{Data: b})
		} else if ch, err = c.open(stage, l, b); ch != nil {
			c.receive(stage, m, l.Codec, ch)
			return
		}
		if err != nil {
			c.lost(stage, err)
		}
	}
}
