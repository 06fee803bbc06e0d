package rsocket

import (
	"errors"
	"fmt"

	"warmline.dev/protocol/rsocket/frame"
)

// Code is the code of an ERROR frame; the values are package frame's.
type Code = frame.ErrorCode

var (
	// ErrClosed is what every error of a connection that has ended wraps, whoever
	// ended it and why.
	ErrClosed = errors.New("rsocket: connection closed")

	// ErrDraining is wrapped by the error for a request on a connection that either
	// side is closing gracefully, or that has ended already. Nothing was sent: the
	// request is safe to make elsewhere.
	ErrDraining = errors.New("rsocket: connection takes no new requests")

	// ErrServerClosed is returned by [Server.Serve] after Shutdown or Close.
	ErrServerClosed = errors.New("rsocket: server closed")

	// ErrCanceled is returned by [Channel.Send] when the peer wants no more items,
	// and by both halves of a channel that was cancelled as a whole.
	ErrCanceled = errors.New("rsocket: canceled")

	// ErrTooLarge is returned for a payload that [Config.MaxPayload] does not let
	// through. Nothing was sent and the stream goes on.
	ErrTooLarge = errors.New("rsocket: payload too large")
)

// Error is an ERROR frame, received or about to be sent.
//
// A [Handler] that returns one decides the code that its peer sees; any other
// error is sent as APPLICATION_ERROR with its text.
type Error struct {
	Code    Code
	Message string // the frame's data
	Remote  bool   // the peer said it; otherwise this side inferred it
	Conn    bool   // it ended the connection; otherwise one stream
}

// Error tells the code, the message and who said it.
func (e *Error) Error() string {
	who := "rsocket: "
	if e.Remote {
		who += "peer: "
	}
	return fmt.Sprintf("%s%s: %s", who, e.Code, e.Message)
}

// Is makes an error that ended the connection match [ErrClosed].
func (e *Error) Is(target error) bool { return e.Conn && target == ErrClosed }

// asError turns what a handler returned into what goes on the wire.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok && e.Code.ForStream() {
		return e
	}
	return &Error{Code: frame.CodeApplication, Message: err.Error()}
}
