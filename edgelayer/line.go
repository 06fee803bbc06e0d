package edgelayer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// line is one negotiated connection. It does not change.
type line struct {
	s        *Server
	conn     *rsocket.Conn
	codec    protocol.Codec
	hello    protocol.Hello
	services map[string]*service // what each name resolved to
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
	result, changed, err := l.invoke(ctx, b, md.Route, request.Data)
	if err != nil {
		if bad, ok := errors.AsType[errMalformedArgs](err); ok {
			return rsocket.Payload{}, l.malformed(bad)
		}
		return rsocket.Payload{}, protocol.AsError(err).Frame()
	}
	reply := rsocket.Payload{Data: result}
	if changed {
		reply.Metadata = (&protocol.Metadata{Passport: b.current()}).Append(nil)
	}
	return reply, nil
}

func (l *line) welcome() protocol.Welcome {
	w := protocol.Welcome{
		Name: l.s.cfg.Name, Version: l.s.cfg.Version, Protocol: protocol.Version,
		Resolved: make(map[string]string, len(l.services)),
	}
	for name, sv := range l.services {
		w.Resolved[name] = sv.version.String()
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

// invoke runs one call. changed says that the method changed the passport,
// whether it then succeeded or not.
func (l *line) invoke(ctx context.Context, b *bearer, method string, args protocol.Raw) (result protocol.Raw, changed bool, err error) {
	l.s.calls.Add(1)
	defer func() {
		if err != nil {
			l.s.failures.Add(1)
		}
	}()
	sv, m, err := l.find(method)
	if err != nil {
		return nil, false, err
	}
	if m.needs != nil {
		p, err := b.open()
		if err != nil {
			return nil, false, err
		}
		if p.Level < *m.needs {
			return nil, false, protocol.Errorf(protocol.Forbidden, "%s needs a passport that is %s, this one is %s", method, *m.needs, p.Level)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, false, err // spent before it began
	}
	c := &call{bearer: b, by: sv.name + "@" + sv.version.String()}
	result, err = l.run(context.WithValue(ctx, callKey{}, c), m, method, args)
	if wrong, ok := errors.AsType[errArgs](err); ok {
		err = protocol.Errorf(protocol.InvalidArgument, "arguments of %s: %w; expected %s", method, wrong.error, m.shape)
	}
	switch {
	case err != nil:
	case len(result) > l.s.cfg.MaxMessage:
		err = protocol.Errorf(protocol.TooLarge, "the result of %s takes %d bytes, at most %d are sent", method, len(result), l.s.cfg.MaxMessage)
	case l.codec == protocol.MsgPack && len(result) > protocol.DefaultLimits.Elements: // it can have as many elements as bytes
		if wrong := protocol.DefaultLimits.Check(result); wrong != nil {
			err = protocol.Errorf(protocol.TooLarge, "the result of %s is more than a peer takes: %w", method, wrong)
		}
	}
	return result, c.changed.Load(), err
}

// run calls the method; one that panics fails this call alone.
func (l *line) run(ctx context.Context, m *Method, method string, args protocol.Raw) (result protocol.Raw, err error) {
	defer func() {
		if r := recover(); r != nil {
			l.s.cfg.Log.Error().Str("method", method).Str("panic", fmt.Sprint(r)).Bytes("stack", debug.Stack()).Msg("a method panicked")
			err = protocol.Errorf(protocol.Internal, "%s failed unexpectedly", method)
		}
	}()
	return m.run(ctx, l.codec, args)
}

// find looks a method up among what this line resolved to.
func (l *line) find(method string) (*service, *Method, error) {
	name, short, _ := strings.Cut(method, ".")
	sv := l.services[name]
	if sv == nil {
		return nil, nil, protocol.Errorf(protocol.UnknownMethod, "%q: this line has %s", clip(method), strings.Join(slices.Sorted(maps.Keys(l.services)), ", "))
	}
	m := sv.methods[short]
	if m == nil {
		return nil, nil, protocol.Errorf(protocol.UnknownMethod, "%q: %s %s has %s", clip(method), sv.name, sv.version, strings.Join(slices.Sorted(maps.Keys(sv.methods)), ", "))
	}
	return sv, m, nil
}

// clip keeps a peer's text from filling a message.
func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}
