// Package line opens the lines that a node dials, to edges and to gateways, and
// keeps them open.
package line

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/composite"
	"warmline.dev/protocol/rsocket/frame"
)

// Line is one negotiated connection. It does not change.
type Line struct {
	Conn    *rsocket.Conn
	Codec   protocol.Codec
	Welcome protocol.Welcome
	closing chan struct{} // closed when the peer begins to close it gracefully
}

// RefusedError is a setup that the peer refused: dialling again is of no use
// until one of the two has changed.
type RefusedError struct {
	Address string
	Code    rsocket.Code
	Reason  string
}

// Error is one line that says who refused, and why.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s refused the line (%s): %s", e.Address, e.Code, e.Reason)
}

// errMistake is something wrong with the target itself, which no dialling mends.
type errMistake struct{ error }

// Unwrap returns what is wrong.
func (e errMistake) Unwrap() error { return e.error }

// Target is what to dial, and as whom.
type Target struct {
	Address string // tcp://HOST:PORT and the like
	Hello   protocol.Hello
	Handler rsocket.Handler // what is answered on the line
	RSocket rsocket.Config
	// KeepAlive is the interval of keepalives and a third of the line's lifetime
	// without any. Default 10 s.
	KeepAlive time.Duration
}

// Dial opens a line: SETUP, and right behind it the question what it resolved
// to. A refusal is a *[RefusedError].
func Dial(ctx context.Context, t Target) (*Line, error) {
	codec := protocol.MsgPack
	data, err := codec.Marshal(&t.Hello)
	if err != nil {
		return nil, err
	}
	if t.KeepAlive == 0 {
		t.KeepAlive = 10 * time.Second
	}
	closing := make(chan struct{})
	t.Handler.Closing = func() { close(closing) }
	conn, err := rsocket.Dial(ctx, t.Address, rsocket.Setup{
		KeepAlive: t.KeepAlive, Lifetime: 3 * t.KeepAlive,
		MetadataMIME: composite.MIME, DataMIME: codec.MIME(),
		Payload: rsocket.Payload{Data: data},
	}, t.Handler, t.RSocket)
	if err != nil {
		if _, network := errors.AsType[net.Error](err); !network {
			err = errMistake{err}
		}
		return nil, err
	}
	l := &Line{Conn: conn, Codec: codec, closing: closing}
	if err := l.greet(ctx); err != nil {
		_ = conn.Close() // the first error is the one to tell
		return nil, asRefused(t.Address, err)
	}
	return l, nil
}

func (l *Line) greet(ctx context.Context) error {
	md := protocol.Metadata{Route: protocol.RouteSetup}
	reply, err := l.Conn.Call(ctx, rsocket.Payload{Metadata: md.Append(nil)})
	if err != nil {
		return err
	}
	if err := l.Codec.Unmarshal(reply.Data, &l.Welcome); err != nil {
		return fmt.Errorf("the answer to %s: %w", protocol.RouteSetup, err)
	}
	return nil
}

// ping asks for any answer.
func (l *Line) ping(ctx context.Context) error {
	md := protocol.Metadata{Route: protocol.RouteSetup}
	_, err := l.Conn.Call(ctx, rsocket.Payload{Metadata: md.Append(nil)})
	if e, ok := errors.AsType[*rsocket.Error](err); ok && e.Remote && !e.Conn {
		return nil // that is one too
	}
	return err
}

func asRefused(address string, err error) error {
	e, ok := errors.AsType[*rsocket.Error](err)
	if !ok || !e.Remote || !e.Conn {
		return fmt.Errorf("%s: %w", address, err)
	}
	switch e.Code {
	case frame.CodeInvalidSetup, frame.CodeUnsupportedSetup, frame.CodeRejectedSetup:
		return &RefusedError{Address: address, Code: e.Code, Reason: protocol.RefusalText(e.Message)}
	}
	return fmt.Errorf("%s: %w", address, err)
}
