package edgelayer

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"warmline.dev/protocol"
	"warmline.dev/protocol/peers"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// line is one negotiated connection.
type line struct {
	s        *Server
	conn     *rsocket.Conn
	codec    protocol.Codec
	hello    protocol.Hello
	telling  sync.Mutex
	services atomic.Pointer[services]   // what its wants resolve to; replaced by [Server.Offer]
	peer     atomic.Pointer[peers.Peer] // whose it is; nil: that does not matter
}

// answer serves a request-response: the setup's result, or a single call.
func (l *line) answer(ctx context.Context, request rsocket.Payload) (rsocket.Payload, error) {
	md, err := protocol.ParseMetadata(request.Metadata)
	if err != nil {
		return rsocket.Payload{}, l.malformed(err)
	}
	if md.Route == protocol.RouteSetup {
		data, err := l.codec.Marshal(l.welcome())
		return rsocket.Payload{Data: data}, err
	}
	ctx, cancel, err := l.begin(ctx, md)
	if err != nil {
		return rsocket.Payload{}, protocol.AsError(err).Frame()
	}
	defer cancel()
	if len(request.Data) > l.s.cfg.MaxMessage {
		return rsocket.Payload{}, l.tooLarge(len(request.Data)).Frame()
	}
	b := newBearer(l.s.cfg.Keys, md.Passport)
	out := l.single(ctx, b, md.Route, request.Data, nil)
	if out.err != nil {
		return rsocket.Payload{}, l.failed(out.err)
	}
	reply := rsocket.Payload{Data: out.result}
	if out.changed != 0 {
		reply.Metadata = (&protocol.Metadata{Passport: b.current()}).Append(nil)
	}
	return reply, nil
}

// stream serves a request-stream: a single call of a method that gives parts.
func (l *line) stream(ctx context.Context, request rsocket.Payload, items rsocket.Channel) error {
	md, err := protocol.ParseMetadata(request.Metadata)
	if err != nil {
		return l.malformed(err)
	}
	ctx, cancel, err := l.begin(ctx, md)
	if err != nil {
		return protocol.AsError(err).Frame()
	}
	defer cancel()
	if len(request.Data) > l.s.cfg.MaxMessage {
		return l.tooLarge(len(request.Data)).Frame()
	}
	b := newBearer(l.s.cfg.Keys, md.Passport)
	out := l.single(ctx, b, md.Route, request.Data, func(part protocol.Raw) error {
		return items.Send(ctx, rsocket.Payload{Data: part})
	})
	if out.err != nil {
		return l.failed(out.err)
	}
	return nil
}

// single makes a call without a conversation. yield is nil where only one result
// can be taken.
func (l *line) single(ctx context.Context, b *bearer, method string, args protocol.Raw, yield func(protocol.Raw) error) (out outcome) {
	l.s.calls.Add(1)
	defer func() { l.s.countFailed(out.err) }()
	sv, m, err := l.find(*l.services.Load(), method)
	if err == nil && (m.stream != nil) != (yield != nil) {
		err = protocol.Errorf(protocol.InvalidArgument, "%s gives %s: ask for it so, or in a conversation", method, amount(m))
	}
	if err == nil {
		err = l.allow(b, m)
	}
	if err != nil {
		return outcome{err: err}
	}
	place, refusal := l.s.load.enter()
	if refusal != nil {
		return outcome{err: refusal}
	}
	return l.invoke(ctx, b, sv, m, args, yield, place)
}

// amount is what a method gives, and how that is asked for.
func amount(m *Method) string {
	if m.stream != nil {
		return "parts (REQUEST_STREAM)"
	}
	return "one result (REQUEST_RESPONSE)"
}

// failed is what to say on a stream of a call that failed.
func (l *line) failed(err error) error {
	if bad, ok := errors.AsType[errMalformedArgs](err); ok {
		return l.malformed(bad)
	}
	return protocol.AsError(err).Frame()
}

func (l *line) welcome() protocol.Welcome {
	found := *l.services.Load()
	w := protocol.Welcome{
		Name: l.s.cfg.Name, Version: l.s.cfg.Version, Protocol: protocol.Version,
		Resolved: make(map[string]string, len(found)), Again: map[string][]string{},
	}
	for name, sv := range found {
		w.Resolved[name] = sv.version.String()
		for short, m := range sv.methods {
			if m.again {
				w.Again[name] = append(w.Again[name], short)
			}
		}
		slices.Sort(w.Again[name])
	}
	return w
}

// begin makes the context that a request's metadata asks for.
func (l *line) begin(ctx context.Context, md protocol.Metadata) (context.Context, context.CancelFunc, error) {
	budget := l.s.cfg.MaxBudget
	if md.Budget > 0 {
		budget = min(budget, md.Budget)
	}
	ctx, cancel := context.WithTimeout(protocol.WithTraceparent(ctx, md.Traceparent), budget)
	return ctx, cancel, ctx.Err()
}

// malformed closes the line because of what its peer sent, and returns what to
// say on the stream.
func (l *line) malformed(err error) error {
	l.s.cfg.Log.Warn().Stringer("peer", l.conn.RemoteAddr()).Str("name", l.hello.Name).Str("reason", err.Error()).Msg("line closed")
	l.conn.Fail(frame.CodeConnectionError, err.Error())
	return &rsocket.Error{Code: frame.CodeInvalid, Message: err.Error()}
}

func (l *line) tooLarge(size int) *protocol.Error {
	return protocol.Errorf(protocol.TooLarge, "a message of %d bytes, at most %d are taken", size, l.s.cfg.MaxMessage)
}

// outcome is what a run of a method came to.
type outcome struct {
	result   protocol.Raw
	err      error
	personal bool   // it has looked at the passport
	changed  uint64 // its last change of the passport, whether it then succeeded or not; 0: none
}

// allow says why a method can't be called for b.
func (l *line) allow(b *bearer, m *Method) error {
	if m.needs == nil {
		return nil
	}
	p, err := b.open()
	if err == nil && p.Level < *m.needs {
		err = protocol.Errorf(protocol.Forbidden, "%s needs a passport that is %s, this one is %s", m.full, *m.needs, p.Level)
	}
	return err
}

// invoke runs a method that is allowed, and gives back its place among those that
// run. yield takes the parts of a stream.
func (l *line) invoke(ctx context.Context, b *bearer, sv *service, m *Method, args protocol.Raw, yield func(protocol.Raw) error, place *permit) (out outcome) {
	c := &call{Context: ctx, bearer: b, by: sv.signs, place: place, load: l.s.load, log: &l.s.cfg.Log}
	c.knew.Store(b.changes())
	if peer := l.peer.Load(); peer != nil && !peer.Changes {
		c.reader, c.forbidden = peer, func() { l.s.cfg.Peers.MayNot(peer, "change passports") }
	}
	defer func() { c.leave(out.err) }()
	if err := ctx.Err(); err != nil {
		return outcome{err: err} // spent before it began
	}
	out.result, out.err = l.run(c, m, args, yield)
	return l.judge(m, c, out)
}

// judge adds to an outcome what there is to say of how it came about.
func (l *line) judge(m *Method, c *call, out outcome) outcome {
	if out.err != nil {
		if wrong, ok := errors.AsType[errArgs](out.err); ok {
			out.err = protocol.Errorf(protocol.InvalidArgument, "arguments of %s: %w; expected %s", m.full, wrong.error, m.shape)
		}
	} else {
		out.err = l.sendable(m.full, out.result)
	}
	out.personal = m.needs != nil || c.personal.Load()
	out.changed = c.changed.Load()
	return out
}

// sendable says why a result can't be sent.
func (l *line) sendable(method string, result protocol.Raw) error {
	if len(result) > l.s.cfg.MaxMessage {
		return protocol.Errorf(protocol.TooLarge, "the result of %s takes %d bytes, at most %d are sent", method, len(result), l.s.cfg.MaxMessage)
	}
	if l.codec == protocol.MsgPack && len(result) > protocol.DefaultLimits.Elements { // it can have as many elements as bytes
		if err := protocol.DefaultLimits.Check(result); err != nil {
			return protocol.Errorf(protocol.TooLarge, "the result of %s is more than a peer takes: %w", method, err)
		}
	}
	return nil
}

// run calls the method; one that panics fails this call alone.
func (l *line) run(ctx context.Context, m *Method, args protocol.Raw, yield func(protocol.Raw) error) (result protocol.Raw, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = l.panicked(m, r)
		}
	}()
	if m.stream != nil {
		return nil, m.stream(ctx, l.codec, args, func(part protocol.Raw) error {
			if err := l.sendable(m.full, part); err != nil {
				return err
			}
			return yield(part)
		})
	}
	return m.run(ctx, l.codec, args)
}

// panicked logs that a method has, and is what is said of it.
func (l *line) panicked(m *Method, r any) error {
	l.s.cfg.Log.Error().Str("method", m.full).Str("panic", fmt.Sprint(r)).Bytes("stack", debug.Stack()).Msg("a method panicked")
	return protocol.Errorf(protocol.Internal, "%s failed unexpectedly", m.full)
}

// clip keeps a peer's text from filling a message.
func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}
