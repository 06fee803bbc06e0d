package nodelayer

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"warmline.dev/nodelayer/internal/line"
	"warmline.dev/passport"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// Conversation is one device request's exchange with the edge: one
// request-channel stream, opened by the first call. It may be used by many
// goroutines at once. Its opener closes it.
type Conversation struct {
	edge     *Edge
	ctx      context.Context // the device request's
	cancel   context.CancelCauseFunc
	passport *passport.Carrier
	timings  *Timings       // nil: nobody gathers any
	wg       sync.WaitGroup // who receives, and who sends

	mu sync.Mutex
	// guarded by mu
	member  *line.Member    // the edge; nil before the first call
	line    *line.Line      // to it
	ch      rsocket.Channel // nil before the first call has left
	stage   int             // how often line has been set
	figures protocol.Figures
	lastID  uint32
	waiting map[uint32]*Pending // calls that are not answered
	known   map[uint32]*Pending // calls that others may refer to, by token
	outbox  outbox
	ended   error // why no more answers come
	closed  bool  // by who opened it
}

var errConversationClosed = errors.New("the conversation is closed")

// Converse begins a conversation that lasts until Close, or until ctx ends.
// Nothing is sent before the first call, which opens it: no round trip is spent
// on opening.
func (e *Edge) Converse(ctx context.Context) *Conversation {
	c := &Conversation{edge: e, passport: passport.FromContext(ctx), timings: timingsOf(ctx), waiting: map[uint32]*Pending{}, known: map[uint32]*Pending{}}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	return c
}

// explain makes an error of this side out of what went wrong; the device
// request's own end is the reason to tell, whatever it showed itself as.
func (c *Conversation) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = ctx.Err()
	} else if c.ctx.Err() != nil {
		err = context.Cause(c.ctx)
	}
	if errors.Is(err, errConversationClosed) {
		return protocol.Errorf(protocol.Canceled, "%w", err)
	}
	return protocol.AsError(err)
}

// stand returns the conversation's line, or why there is none any more. The
// caller holds mu.
func (c *Conversation) stand() (*line.Line, error) {
	if c.ended != nil {
		return nil, c.ended
	}
	if err := c.ctx.Err(); err != nil {
		return nil, context.Cause(c.ctx)
	}
	if c.line != nil && len(c.waiting) == 0 && isOver(c.line) { // whoever receives is about to hear of it
		c.beginAnew()
	}
	if c.member == nil {
		m, l, err := c.edge.pick()
		if err != nil {
			return nil, err
		}
		c.enter(m, l)
	}
	return c.line, nil
}

// isOver reports whether a line has come to its end.
func isOver(l *line.Line) bool {
	select {
	case <-l.Conn.Done():
		return true
	default:
		return false
	}
}

// open opens the channel with the first calls inside; nil, and no error, if nobody
// wants it any more.
func (c *Conversation) open(stage int, l *line.Line, first []byte) (rsocket.Channel, error) {
	md := metadata(c.ctx, protocol.RouteConversation)
	ch, err := l.Conn.OpenChannel(c.ctx, rsocket.Payload{Metadata: md.Append(nil), Data: first})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	current := c.stage == stage && c.ended == nil
	if current {
		c.ch = ch
		c.outbox.sending = false
		c.flush()
	}
	c.mu.Unlock()
	if !current {
		ch.Cancel() // Close or lost have missed it
		return nil, nil
	}
	return ch, nil
}

// receive hands answers to those who wait for them.
func (c *Conversation) receive(stage int, m *line.Member, codec protocol.Codec, ch rsocket.Channel) {
	// What is lost with a line is told by the channel. What is not well may never tell.
	defer context.AfterFunc(m.Well(), func() { c.lost(stage, errNotWell) })()
	for {
		p, err := ch.Recv(c.ctx)
		switch {
		case err == nil:
			err = c.take(m, codec, p.Data)
		case errors.Is(err, io.EOF):
			err = protocol.Errorf(protocol.Internal, "the edge ended the conversation without an answer")
		}
		if err != nil {
			ch.Cancel() // without effect if it is over
			c.lost(stage, err)
			return
		}
	}
}

func (c *Conversation) take(from *line.Member, codec protocol.Codec, data []byte) error {
	for len(data) > 0 {
		m, rest, err := codec.NextMessage(data, len(data))
		if err != nil {
			return protocol.Errorf(protocol.Internal, "the edge sent a %w", err)
		}
		data = rest
		switch m.Kind {
		case protocol.KindPassport:
			if err := c.passport.Take(m.Passport); err != nil {
				return badPassport(err)
			}
		case protocol.KindReply:
			c.count(&m)
			c.answer(from, m.ID, m.Value, nil)
		case protocol.KindFailure:
			c.answer(from, m.ID, nil, m.Failure)
		case protocol.KindPart:
			if p := c.find(m.ID); p != nil && p.parts != nil && !p.parts.add(m.Value) {
				return protocol.Errorf(protocol.Internal, "the edge sent more parts of %s than were asked for", p.method)
			}
		default:
			// What only an adapter says, or a newer edge: nothing to do.
		}
	}
	return nil
}

// count counts what an answer tells of how it came about.
func (c *Conversation) count(m *protocol.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.waiting[m.ID]
	if p == nil {
		return
	}
	c.figures.References += p.references
	if m.Note.View {
		c.figures.ViewHits++
	}
}

func (c *Conversation) find(id uint32) *Pending {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting[id]
}

// answer ends a call, if it is still waited for.
func (c *Conversation) answer(from *line.Member, id uint32, result protocol.Raw, err error) {
	c.mu.Lock()
	p := c.waiting[id]
	if p != nil {
		delete(c.waiting, id)
		p.settle(result, err)
	}
	c.mu.Unlock()
	if p != nil {
		took := time.Since(p.begun)
		from.Heard(took)
		p.tell(took)
	}
}

// end fails those who still wait.
func (c *Conversation) end(err error) {
	c.mu.Lock()
	if c.ended == nil {
		c.ended = err
	}
	left := c.waiting
	c.waiting = nil // no more are started
	c.outbox.clear()
	for _, p := range left {
		p.settle(nil, c.explain(context.Background(), err))
	}
	c.mu.Unlock()
	for _, p := range left {
		p.tell(time.Since(p.begun))
	}
}

// Close ends the conversation: calls that still wait fail as canceled, and the
// edge gives up what it is doing for them. It returns when its goroutines have
// ended, and may be called twice.
func (c *Conversation) Close() {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		c.timings.closed(c.figures)
	}
	if c.ended == nil {
		c.ended = errConversationClosed
	}
	ch, idle := c.ch, len(c.waiting) == 0 && !c.outbox.sending
	c.leave()
	c.mu.Unlock()
	if ch != nil && idle {
		_ = ch.CloseSend() // the edge has nothing under way: it hears of an end, not of a break
	}
	c.cancel(errConversationClosed)
	if ch != nil {
		ch.Cancel()
	}
	c.end(errConversationClosed)
	c.wg.Wait()
}
