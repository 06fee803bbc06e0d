// Package line opens the lines that a node dials, to edges and to gateways, and
// keeps them open.
package line

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/composite"
	"warmline.dev/protocol/rsocket/frame"
)

// Line is one negotiated connection.
type Line struct {
	Conn  *rsocket.Conn
	Codec protocol.Codec

	welcome atomic.Pointer[protocol.Welcome]
	refusal atomic.Pointer[protocol.Refusal] // why the peer closes it
	retired chan struct{}                    // closed when the peer tells that it is of nobody any more, or of one who may not
	closing chan struct{}                    // closed when the peer begins to close it gracefully
}

// Welcome is what was agreed, as the peer told last. It is not to be changed.
func (l *Line) Welcome() *protocol.Welcome { return l.welcome.Load() }

// pushed takes what the peer tells of the line itself. What is not understood is
// passed over: a newer peer's.
func (l *Line) pushed(metadata []byte) {
	for e, err := range composite.All(metadata) {
		if err != nil {
			return
		}
		switch e.MIME {
		case protocol.MIMEWelcome:
			var w protocol.Welcome
			if l.Codec.Unmarshal(e.Data, &w) == nil {
				l.welcome.Store(&w)
			}
		case protocol.MIMERefusal:
			if r := protocol.ParseRefusal(string(e.Data)); r != nil {
				proof := r.Code == protocol.Unauthenticated || r.Code == protocol.Forbidden
				if l.refusal.Swap(r) == nil && proof {
					close(l.retired)
				}
			}
		}
	}
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
	// Credentials are sent with SETUP, and shown in the TLS handshake.
	Credentials Credentials
	// KeepAlive is the interval of keepalives and a third of the line's lifetime
	// without any. Default 10 s.
	KeepAlive time.Duration

	serverName string // what the certificate is to be for; "": the address's host
}

// Dial opens a line: SETUP, and right behind it the question what it resolved
// to. A refusal is a *[RefusedError].
func Dial(ctx context.Context, t Target) (*Line, error) {
	codec := protocol.MsgPack
	data, err := codec.Marshal(&t.Hello)
	if err != nil {
		return nil, err
	}
	if err := t.Credentials.secure(t.Address); err != nil {
		return nil, errMistake{err}
	}
	payload, err := t.setup(data)
	if err != nil {
		return nil, errMistake{err}
	}
	t.RSocket.TLS = t.tls()
	if t.KeepAlive == 0 {
		t.KeepAlive = 10 * time.Second
	}
	l := &Line{Codec: codec, retired: make(chan struct{}), closing: make(chan struct{})}
	t.Handler.Closing = func() { close(l.closing) }
	t.Handler.MetadataPush = l.pushed
	conn, err := rsocket.Dial(ctx, t.Address, rsocket.Setup{
		KeepAlive: t.KeepAlive, Lifetime: 3 * t.KeepAlive,
		MetadataMIME: composite.MIME, DataMIME: codec.MIME(),
		Payload: payload,
	}, t.Handler, t.RSocket)
	if err != nil {
		if _, network := errors.AsType[net.Error](err); !network {
			err = errMistake{err}
		}
		return nil, err
	}
	l.Conn = conn
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
	var w protocol.Welcome
	if err := l.Codec.Unmarshal(reply.Data, &w); err != nil {
		return fmt.Errorf("the answer to %s: %w", protocol.RouteSetup, err)
	}
	l.welcome.CompareAndSwap(nil, &w) // one that was pushed meanwhile is newer
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
