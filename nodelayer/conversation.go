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
	unwatch  func() bool // stops watching the opener's context
	receiver sync.WaitGroup

	// opening lets one call open the channel and the others wait for it.
	opening sync.Mutex

	mu sync.Mutex
	// guarded by mu
	line    *line.Line
	ch      rsocket.Channel // nil before the first call
	lastID  uint32
	waiting map[uint32]chan protocol.Message
	ended   error // why no more answers come
}

var errConversationClosed = errors.New("the conversation is closed")

// Converse begins a conversation that lasts until Close, or until ctx ends.
// Nothing is sent before the first call, which opens it: no round trip is spent
// on opening.
func (e *Edge) Converse(ctx context.Context) *Conversation {
	c := &Conversation{edge: e, passport: passport.FromContext(ctx), waiting: map[uint32]chan protocol.Message{}}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	return c
}

// Call asks one question and decodes the answer. method is "service.method";
// args is a struct or map, nil for none. A result that does not fit T is an
// error; fields that T does not have are passed over.
//
// The error is a *[protocol.Error]: Remote tells whether the edge said it, Retry
// whether asking again is safe.
func Call[T any](ctx context.Context, c *Conversation, method string, args any) (T, error) {
	var result T
	start := time.Now()
	err := c.call(ctx, method, args, &result)
	timingsOf(c.ctx).add(method, time.Since(start), err)
	return result, err
}

func (c *Conversation) call(ctx context.Context, method string, args, into any) error {
	id, answer, err := c.ask(ctx, method, args)
	if err != nil {
		return c.explain(ctx, err)
	}
	select {
	case m, ok := <-answer:
		switch {
		case !ok:
			return c.explain(ctx, c.why())
		case m.Kind == protocol.KindFailure:
			return m.Failure
		}
		return decode(c.line.Codec, method, m.Value, into)
	case <-ctx.Done():
		c.giveUp(id)
		return c.explain(ctx, ctx.Err())
	}
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

// ask sends a call and returns where its answer comes.
func (c *Conversation) ask(ctx context.Context, method string, args any) (uint32, <-chan protocol.Message, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, nil, context.Cause(c.ctx)
	}
	l, _, err := c.current()
	if err != nil {
		return 0, nil, err
	}
	value, err := c.edge.encode(l, method, args)
	if err != nil {
		return 0, nil, err
	}
	id, answer := c.expect()
	data, err := l.Codec.AppendMessage(nil, &protocol.Message{Kind: protocol.KindCall, ID: id, Method: method, Value: value})
	if err == nil {
		err = c.send(ctx, l, data)
	}
	if err != nil {
		c.forget(id)
		return 0, nil, err
	}
	return id, answer, nil
}

// send sends a call's message; the first one opens the channel.
func (c *Conversation) send(ctx context.Context, l *line.Line, data []byte) error {
	c.opening.Lock()
	_, ch, err := c.current()
	if err == nil && ch == nil {
		err = c.open(ctx, l, data)
		c.opening.Unlock()
		return err
	}
	c.opening.Unlock()
	if err != nil {
		return err
	}
	return ch.Send(ctx, rsocket.Payload{Data: data})
}

// current is the conversation's line and channel; the channel is nil before the
// first call.
func (c *Conversation) current() (*line.Line, rsocket.Channel, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return nil, nil, c.ended
	}
	if c.line == nil {
		l, err := c.edge.current()
		if err != nil {
			return nil, nil, err
		}
		c.line = l
	}
	return c.line, c.ch, nil
}

// open opens the channel with the first call inside. The caller holds opening.
func (c *Conversation) open(ctx context.Context, l *line.Line, first []byte) error {
	md := metadata(c.ctx, protocol.RouteConversation)
	ch, err := l.Conn.OpenChannel(ctx, rsocket.Payload{Metadata: md.Append(nil), Data: first})
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.ch = ch
	c.mu.Unlock()
	c.unwatch = context.AfterFunc(c.ctx, ch.Cancel)
	c.receiver.Go(func() { c.receive(l.Codec, ch) })
	return nil
}

// expect makes a place for an answer.
func (c *Conversation) expect() (uint32, chan protocol.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastID++
	answer := make(chan protocol.Message, 1)
	c.waiting[c.lastID] = answer
	return c.lastID, answer
}

func (c *Conversation) forget(id uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, id)
}

// patience is how long a caller that has given up helps to tell the edge so.
const patience = 20 * time.Millisecond

// giveUp tells the edge that nobody waits for a call any more. Without credit it
// stays untold: the edge finishes the call, and its answer is dropped.
func (c *Conversation) giveUp(id uint32) {
	c.forget(id)
	if c.ctx.Err() != nil {
		return // the whole conversation is being cancelled
	}
	data, err := c.line.Codec.AppendMessage(nil, &protocol.Message{Kind: protocol.KindCancel, ID: id})
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	_ = c.ch.Send(ctx, rsocket.Payload{Data: data}) // see above
}

func (c *Conversation) why() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// receive hands answers to those who wait for them.
func (c *Conversation) receive(codec protocol.Codec, ch rsocket.Channel) {
	for {
		p, err := ch.Recv(context.Background()) // ends with the channel, which ends with c.ctx
		switch {
		case err == nil:
			err = c.take(codec, p.Data)
		case errors.Is(err, io.EOF):
			err = protocol.Errorf(protocol.Internal, "the edge ended the conversation without an answer")
		}
		if err != nil {
			c.end(err)
			return
		}
	}
}

func (c *Conversation) take(codec protocol.Codec, data []byte) error {
	for len(data) > 0 {
		m, rest, err := codec.NextMessage(data, len(data))
		if err != nil {
			c.ch.Cancel()
			return protocol.Errorf(protocol.Internal, "the edge sent a %w", err)
		}
		data = rest
		switch m.Kind {
		case protocol.KindPassport:
			c.passport.Replace(m.Passport)
		case protocol.KindReply, protocol.KindFailure:
			c.deliver(m)
		default:
			// What only an adapter says, or a newer edge: nothing to do.
		}
	}
	return nil
}

func (c *Conversation) deliver(m protocol.Message) {
	c.mu.Lock()
	answer := c.waiting[m.ID]
	delete(c.waiting, m.ID)
	c.mu.Unlock()
	if answer != nil {
		answer <- m // there is room for the one answer
	}
}

// end fails those who still wait.
func (c *Conversation) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = err
	for id, answer := range c.waiting {
		close(answer)
		delete(c.waiting, id)
	}
}

// Close ends the conversation: calls that still wait fail as canceled, and the
// edge gives up what it is doing for them. It returns when its goroutines have
// ended, and may be called twice.
func (c *Conversation) Close() {
	c.opening.Lock() // no call is half way through opening the channel
	defer c.opening.Unlock()
	c.mu.Lock()
	ch, idle := c.ch, len(c.waiting) == 0
	if c.ended == nil {
		c.ended = errConversationClosed
	}
	c.mu.Unlock()
	if ch != nil {
		c.unwatch()
		if idle {
			_ = ch.CloseSend() // the edge has nothing under way: it hears of an end, not of a break
		}
		ch.Cancel()
	}
	c.cancel(errConversationClosed)
	c.receiver.Wait()
}
