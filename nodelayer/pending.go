package nodelayer

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"warmline.dev/protocol"
)

// Pending is a call that was started. It may be used by many goroutines at once,
// as long as its conversation is open.
type Pending struct {
	conv   *Conversation
	token  uint32 // of all calls of this process
	id     uint32 // in its conversation
	method string
	value  protocol.Raw // the arguments
	how    protocol.How

	references int // in the arguments

	begun time.Time
	parts *parts // of a stream; otherwise nil

	// guarded by the conversation's mu; of result and err, after told, by nothing
	done   chan struct{} // closed when it is told; nil: nobody has had to wait
	told   bool
	result protocol.Raw
	err    error
}

// CallOption refines a call.
type CallOption interface{ apply(*callOptions) }

type callOptions struct {
	how   protocol.How
	after []*Pending
}

type callOption func(*callOptions)

func (o callOption) apply(c *callOptions) { o(c) }

// Fresh asks for what is the case now: neither the conversation's view nor the
// edge's warm caches answer, and later reads see what came.
func Fresh() CallOption { return callOption(func(o *callOptions) { o.how.Fresh = true }) }

// After lets the call run when others have succeeded, and fail with
// [protocol.Unresolved] if one has not. A call that refers to the result of
// another does so anyway.
func After(calls ...*Pending) CallOption {
	return callOption(func(o *callOptions) { o.after = append(o.after, calls...) })
}

// Start asks one question and returns at once. method is "service.method"; args
// is a struct or map, nil for none, and may hold, anywhere, references to the
// results of calls that were started before: see [Pending.Ref]. What can't be
// sent fails when it is awaited.
//
// Calls that are started one behind another leave together when the first of
// them is awaited, or soon after it was started.
func (c *Conversation) Start(method string, args any, options ...CallOption) *Pending {
	return c.start(c.ctx, method, args, true, nil, options)
}

// start posts a call. Keep says that others may refer to it.
func (c *Conversation) start(ctx context.Context, method string, args any, keep bool, s *parts, options []CallOption) *Pending {
	p := &Pending{conv: c, method: method, begun: time.Now(), parts: s}
	var after []*Pending
	if len(options) > 0 {
		p.how, after = asked(options)
	}
	if p.how.Keep = keep; s != nil {
		p.how.Parts = partsWindow
	}
	if err := c.tryStart(p, args, after); err != nil {
		p.settle(nil, c.explain(ctx, err)) // nobody knows of it yet
		p.tell(time.Since(p.begun))
	}
	return p
}

// asked is what options ask for.
func asked(options []CallOption) (how protocol.How, after []*Pending) {
	var o callOptions
	for _, option := range options {
		option.apply(&o)
	}
	return o.how, o.after
}

// lastToken numbers the calls of this process: so a reference to a call of
// another conversation is told from one of this.
var lastToken atomic.Uint32

func (c *Conversation) tryStart(p *Pending, args any, after []*Pending) error {
	c.mu.Lock()
	l, err := c.stand()
	c.mu.Unlock()
	if err != nil {
		return err
	}
	value, err := c.edge.encode(l, p.method, args)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if l, err = c.stand(); err != nil { // again: the line may have been lost meanwhile
		return err
	}
	if len(value) > 0 {
		value, err = l.Codec.Renumber(value, func(token uint32) (uint32, error) {
			on := c.known[token]
			if on == nil {
				return 0, protocol.Errorf(protocol.InvalidArgument, "arguments of %s: a reference to a call of another conversation", p.method)
			}
			p.how.References = true
			p.references++
			return on.id, nil
		})
		if err != nil {
			return err
		}
	}
	for _, on := range after {
		if on.conv != c {
			return protocol.Errorf(protocol.InvalidArgument, "%s is to run after a call of another conversation", p.method)
		}
		p.how.After = append(p.how.After, on.id)
	}
	c.lastID++
	p.id = c.lastID
	c.figures.Calls++
	p.value = value
	if err := c.post(l, p.id, protocol.Message{Kind: protocol.KindCall, ID: p.id, Method: p.method, Value: value, How: p.how}); err != nil {
		return err
	}
	if p.how.Keep {
		p.token = lastToken.Add(1)
		c.known[p.token] = p
	}
	c.waiting[p.id] = p
	c.flushSoon()
	return nil
}

// Await waits for the answer of a call that was started, and decodes it. A result
// that does not fit T is an error; fields that T does not have are passed over.
// When ctx ends first the call goes on.
//
// The error is a *[protocol.Error]: Remote tells whether the edge said it, Retry
// whether asking again is safe. [protocol.Unresolved] is a reference that leads
// nowhere, or a call that this one waited for and that failed.
func Await[T any](ctx context.Context, p *Pending) (T, error) {
	var result T
	err := p.await(ctx)
	if err == nil {
		err = p.decode(&result)
	}
	return result, err
}

// Call asks one question and decodes the answer: [Conversation.Start] and [Await]
// in one, but when ctx ends first the call is cancelled.
func Call[T any](ctx context.Context, c *Conversation, method string, args any, options ...CallOption) (T, error) {
	var result T
	if ctx.Err() != nil {
		return result, c.explain(ctx, ctx.Err())
	}
	p := c.start(ctx, method, args, false, nil, options)
	err := p.await(ctx)
	if err == nil {
		return result, p.decode(&result)
	}
	if ctx.Err() != nil {
		p.Cancel()
	}
	return result, err
}

func (p *Pending) await(ctx context.Context) error {
	c := p.conv
	c.mu.Lock()
	if p.told {
		c.mu.Unlock()
		return p.err
	}
	if p.done == nil {
		p.done = make(chan struct{})
	}
	done := p.done
	c.flush()
	c.mu.Unlock()
	select {
	case <-done:
		return p.err
	case <-ctx.Done():
		return c.explain(ctx, ctx.Err())
	}
}

func (p *Pending) decode(into any) error {
	return decode(protocol.MsgPack, p.method, p.result, into)
}

// Cancel gives the call up: it fails with [protocol.Canceled], and so do those
// that wait for it. One that has been answered is left alone.
func (p *Pending) Cancel() {
	c := p.conv
	c.mu.Lock()
	waits := c.waiting[p.id] == p
	if waits {
		delete(c.waiting, p.id)
		p.settle(nil, protocol.AsError(context.Canceled))
		if !c.outbox.drop(p.id) {
			_ = c.post(c.line, 0, protocol.Message{Kind: protocol.KindCancel, ID: p.id}) // it always encodes
			c.flush()
		}
	}
	c.mu.Unlock()
	if waits {
		p.tell(time.Since(p.begun))
	}
}

// settle notes the answer, in one step with taking the call off those that wait:
// who moves the conversation then looks at it. The caller holds mu, and calls tell
// when it does not.
func (p *Pending) settle(result protocol.Raw, err error) { p.result, p.err, p.value = result, err, nil }

// tell lets go who waits for the answer.
func (p *Pending) tell(took time.Duration) {
	c := p.conv
	c.timings.add(p.method, took, p.err)
	c.mu.Lock()
	p.told = true
	if p.done != nil {
		close(p.done)
	}
	c.mu.Unlock()
	if p.parts != nil {
		p.parts.end()
	}
}

// Each is a step of [Pending.Ref]: into every element of a list. What the rest of
// the path leads to in each of them makes a list.
var Each = protocol.Each

// Slice is [Each] of the elements from the one up to, and without, the other, or
// of those of them that there are; a negative to is the end.
func Slice(from, to int) protocol.Step { return protocol.Slice(from, to) }

// Ref is what stands in the arguments of a later call for a part of a result.
type Ref struct {
	reference protocol.Reference
	err       error
}

// Ref refers to a part of the call's result, or to all of it: it may stand
// anywhere in the arguments of later calls of the same conversation, and the edge
// puts the part in its place without anything crossing in between. Steps are
// keys (string), indices (int), [Each] and [Slice], at most 16:
//
//	recs.Ref("items", nodelayer.Each, "id")
func (p *Pending) Ref(steps ...any) Ref {
	r := Ref{reference: protocol.Reference{Call: p.token, Path: make([]protocol.Step, 0, len(steps))}}
	for _, s := range steps {
		switch s := s.(type) {
		case string:
			r.reference.Path = append(r.reference.Path, protocol.Key(s))
		case int:
			r.reference.Path = append(r.reference.Path, protocol.Index(s))
		case protocol.Step:
			r.reference.Path = append(r.reference.Path, s)
		default:
			r.err = fmt.Errorf("a step of type %T in a reference: expected string, int, Each or Slice", s)
		}
	}
	return r
}

var _ msgpack.CustomEncoder = Ref{}

// EncodeMsgpack writes the reference.
func (r Ref) EncodeMsgpack(enc *msgpack.Encoder) error {
	if r.err != nil {
		return r.err
	}
	return r.reference.EncodeMsgpack(enc)
}
