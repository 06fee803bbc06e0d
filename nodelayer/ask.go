package nodelayer

import (
	"context"
	"time"

	"warmline.dev/nodelayer/internal/line"
	"warmline.dev/passport"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// maxRoute is what routing metadata can hold.
const maxRoute = 255

// Ask makes a single call without a conversation, a plain request-response, and
// decodes the result. The error is a *[protocol.Error].
func Ask[T any](ctx context.Context, e *Edge, method string, args any) (T, error) {
	var result T
	err := e.ask(ctx, method, args, &result)
	return result, err
}

func (e *Edge) ask(ctx context.Context, method string, args, into any) error {
	if len(method) > maxRoute {
		return protocol.Errorf(protocol.UnknownMethod, "a method name of %d bytes, expected at most %d", len(method), maxRoute)
	}
	var tried []*line.Member
	for {
		m, l, err := e.pick(tried...)
		if err != nil {
			return err
		}
		reply, err := e.askOn(ctx, m, l, method, args)
		m.Done()
		tried = append(tried, m)
		lost, again := ctx.Err() == nil && isLost(err), isUndone(err) || l.Welcome().MayAskAgain(method)
		switch {
		case lost && again && len(tried) <= maxMoves:
			continue
		case lost && !again:
			return uncertain(method, err)
		}
		if err != nil {
			return protocol.AsError(err)
		}
		md, err := protocol.ParseMetadata(reply.Metadata)
		if err != nil {
			return protocol.Errorf(protocol.Internal, "the answer to %s: %w", method, err)
		}
		if md.Passport != nil {
			if err := passport.FromContext(ctx).Take(md.Passport); err != nil {
				return badPassport(err)
			}
		}
		return decode(l.Codec, method, reply.Data, into)
	}
}

// askOn asks one edge, as long as that is well.
func (e *Edge) askOn(ctx context.Context, m *line.Member, l *line.Line, method string, args any) (rsocket.Payload, error) {
	data, err := e.encode(l, method, args)
	if err != nil {
		return rsocket.Payload{}, err
	}
	asked, cancel := context.WithCancel(ctx)
	defer cancel()
	well := m.Well()
	defer context.AfterFunc(well, cancel)()
	begun := time.Now()
	reply, err := l.Conn.Call(asked, rsocket.Payload{Metadata: metadata(ctx, method).Append(nil), Data: data})
	switch {
	case err == nil:
		m.Heard(time.Since(begun))
	case ctx.Err() == nil && well.Err() != nil:
		err = errNotWell
	}
	return reply, err
}

func badPassport(err error) error {
	return protocol.Errorf(protocol.Internal, "the edge handed back a passport that can't be taken: %w", err)
}

func decode(codec protocol.Codec, method string, result protocol.Raw, into any) error {
	if err := codec.Unmarshal(result, into); err != nil {
		return protocol.Errorf(protocol.Internal, "the result of %s does not fit %T: %w", method, into, err)
	}
	return nil
}
