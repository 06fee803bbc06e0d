package protocol

import (
	"context"
	"errors"
	"fmt"

	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// Error is a failure that crosses tiers.
type Error struct {
	Code    Code
	Message string // for people; says what was expected, where it can
	Retry   bool   // trying again is safe: nothing was done, or doing it twice is harmless
	Remote  bool   // the peer said it; otherwise this side inferred it
	cause   error
}

// Errorf returns an error of this side. %w is wrapped, and stays on this side.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Retry: code == Overloaded, cause: errors.Unwrap(err)}
}

// Retryable returns the same error, marked as safe to try again.
func (e *Error) Retryable() *Error {
	again := *e
	again.Retry = true
	return &again
}

// Error is the code's name and the message.
func (e *Error) Error() string { return e.Code.String() + ": " + e.Message }

// Unwrap returns what caused the error on this side, nil if it is the peer's.
func (e *Error) Unwrap() error { return e.cause }

// AsError turns any error into an *Error: one that is or wraps an *Error is
// returned as it is, contexts' and connections' errors get their codes, and what
// is left is [Internal]. It returns nil for nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*rsocket.Error](err); ok && e.Remote && !e.Conn {
		code := fromFrame(e.Code)
		return &Error{Code: code, Message: e.Message, Retry: code == Overloaded, Remote: true, cause: err}
	}
	code, retry := Internal, false
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		code = DeadlineExceeded
	case errors.Is(err, context.Canceled), errors.Is(err, rsocket.ErrCanceled):
		code = Canceled
	case errors.Is(err, rsocket.ErrTooLarge):
		code = TooLarge
	case errors.Is(err, rsocket.ErrDraining):
		code, retry = Unavailable, true
	case errors.Is(err, rsocket.ErrClosed):
		code = Unavailable
	}
	return &Error{Code: code, Message: err.Error(), Retry: retry, cause: err}
}

func fromFrame(c frame.ErrorCode) Code {
	switch c {
	case frame.CodeRejected:
		return Overloaded
	case frame.CodeCanceled:
		return Canceled
	case frame.CodeInvalid:
		return InvalidArgument
	case frame.CodeApplication:
		return Internal
	}
	if _, ok := codeNames[Code(c)]; ok {
		return Code(c)
	}
	return Unknown
}

// Frame is the error as an ERROR frame on a stream tells it.
func (e *Error) Frame() *rsocket.Error {
	code := frame.ErrorCode(e.Code)
	if e.Code == Unknown {
		code = frame.CodeApplication
	}
	return &rsocket.Error{Code: code, Message: e.Message}
}
