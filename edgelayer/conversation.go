package edgelayer

import (
	"context"
	"errors"
	"io"
	"sync"

	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// conversation is the edge's end of one device request's exchange.
type conversation struct {
	l      *line
	ch     rsocket.Channel
	bearer *bearer
	calls  sync.WaitGroup

	// passing lets one changed passport pass at a time, so that the adapter's last
	// one is the last.
	passing sync.Mutex

	mu sync.Mutex
	// guarded by mu
	running   map[uint32]context.CancelFunc // calls that run, by id
	answering int                           // calls that have run and whose answer waits to be sent
}

// converse serves a request-channel. It returns when the adapter has completed
// its half and every call has been answered, or when the conversation broke.
func (l *line) converse(ctx context.Context, ch rsocket.Channel) error {
	first, err := ch.Recv(ctx)
	if err != nil {
		return err
	}
	md, err := protocol.ParseMetadata(first.Metadata)
	if err != nil {
		return l.malformed(err)
	}
	if md.Route != protocol.RouteConversation {
		return protocol.Errorf(protocol.UnknownMethod, "a request-channel on route %q, expected %s", clip(md.Route), protocol.RouteConversation).Frame()
	}
	ctx, cancel, err := l.begin(ctx, md)
	if err != nil {
		return protocol.AsError(err).Frame()
	}
	l.s.conversations.Add(1)
	defer l.s.conversations.Add(-1)

	c := &conversation{l: l, ch: ch, bearer: newBearer(l.s.cfg.Keys, md.Passport), running: map[uint32]context.CancelFunc{}}
	err = c.take(ctx, first.Data)
	for err == nil {
		var p rsocket.Payload
		if p, err = ch.Recv(ctx); err == nil {
			err = c.take(ctx, p.Data)
		}
	}
	if errors.Is(err, io.EOF) && !isMalformed(err) { // a message that breaks off may wrap io.EOF too
		c.calls.Wait() // the adapter has asked all it will; what it asked is still answered
		err = ctx.Err()
	}
	cancel()
	c.calls.Wait()
	switch {
	case err == nil:
		return nil
	case isMalformed(err):
		return l.malformed(err)
	default:
		return protocol.AsError(err).Frame()
	}
}

// take acts on the messages of one payload. An error ends the conversation.
func (c *conversation) take(ctx context.Context, data []byte) error {
	for len(data) > 0 {
		m, rest, err := c.l.codec.NextMessage(data, c.l.s.cfg.MaxMessage)
		if err != nil {
			return err
		}
		size := len(data) - len(rest)
		data = rest
		switch m.Kind {
		case protocol.KindCall:
			if m.Oversized {
				err = c.send(ctx, nil, &protocol.Message{Kind: protocol.KindFailure, ID: m.ID, Failure: c.l.tooLarge(size)})
			} else {
				err = c.start(ctx, m)
			}
			if err != nil {
				return err
			}
		case protocol.KindCancel:
			c.stop(m.ID)
		default:
			// What only an edge says, or a newer adapter: nothing to do.
		}
	}
	return nil
}

// start runs a call beside the others.
func (c *conversation) start(ctx context.Context, m protocol.Message) error {
	callCtx, cancel := context.WithCancel(ctx)
	switch err := c.admit(m.ID, cancel); {
	case err == nil:
		c.calls.Go(func() {
			defer cancel()
			c.run(ctx, callCtx, m)
			c.answered()
		})
		return nil
	case err.Code == protocol.Overloaded:
		cancel()
		return c.send(ctx, nil, &protocol.Message{Kind: protocol.KindFailure, ID: m.ID, Failure: err})
	default:
		cancel()
		return err
	}
}

// admit takes a place among the running calls. One that is cancelled keeps its
// place until its method has returned.
func (c *conversation) admit(id uint32, cancel context.CancelFunc) *protocol.Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, used := c.running[id]; used {
		return protocol.Errorf(protocol.InvalidArgument, "call id %d is in use", id)
	}
	most := c.l.s.cfg.MaxCalls
	if len(c.running) >= most || len(c.running)+c.answering >= 2*most {
		return protocol.Errorf(protocol.Overloaded, "%d calls of this conversation are running already", c.l.s.cfg.MaxCalls)
	}
	c.running[id] = cancel
	return nil
}

// ended gives the place and the id back before the answer is sent: an adapter
// that has the answer may use them at once.
func (c *conversation) ended(id uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.running, id)
	c.answering++
}

func (c *conversation) answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answering--
}

// stop cancels a call; one that has ended is nobody's concern.
func (c *conversation) stop(id uint32) {
	c.mu.Lock()
	cancel := c.running[id]
	c.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// run runs a call. Its own context ends before the conversation's if the adapter
// cancels it.
func (c *conversation) run(convCtx, ctx context.Context, m protocol.Message) {
	result, changed, err := c.l.invoke(ctx, c.bearer, m.Method, m.Value)
	c.ended(m.ID)
	if bad, ok := errors.AsType[errMalformedArgs](err); ok {
		_ = c.l.malformed(bad) // it is logged, and the line is closing
		return
	}
	answer := &protocol.Message{Kind: protocol.KindReply, ID: m.ID, Value: result}
	if err != nil {
		answer = &protocol.Message{Kind: protocol.KindFailure, ID: m.ID, Failure: protocol.AsError(err)}
	}
	var sealed []byte
	if changed {
		c.passing.Lock()
		defer c.passing.Unlock()
		sealed = c.bearer.current()
	}
	// An adapter that has cancelled the call, or gone, hears nothing: the context
	// has ended.
	switch err := c.send(ctx, sealed, answer); {
	case err == nil:
	case ctx.Err() == nil:
		_ = c.send(ctx, sealed, shorter(answer, err)) // if that fails too, the channel has ended
	case changed:
		// The adapter has cancelled the call, but the change stands.
		_ = c.send(convCtx, sealed, nil) // if that fails, there is nobody left to tell
	}
}

// shorter is what to say instead of an answer that can't be sent, because it fits
// no frame or is no encoding: no call stays unanswered.
func shorter(m *protocol.Message, err error) *protocol.Message {
	failure := protocol.AsError(err)
	if m.Kind == protocol.KindFailure {
		failure = &protocol.Error{Code: m.Failure.Code, Message: clip(m.Failure.Message), Retry: m.Failure.Retry}
	}
	return &protocol.Message{Kind: protocol.KindFailure, ID: m.ID, Failure: failure}
}

// send sends a message, behind the changed passport if there is one: in one
// payload, so that the adapter has the passport when it has the answer. Either
// may be nil.
func (c *conversation) send(ctx context.Context, changed []byte, m *protocol.Message) error {
	var data []byte
	var err error
	if changed != nil {
		if data, err = c.l.codec.AppendMessage(nil, &protocol.Message{Kind: protocol.KindPassport, Passport: changed}); err != nil {
			return err
		}
	}
	if m != nil {
		if data, err = c.l.codec.AppendMessage(data, m); err != nil {
			return err
		}
	}
	return c.ch.Send(ctx, rsocket.Payload{Data: data})
}
