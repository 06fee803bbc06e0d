package protocol_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

func TestErrorf(t *testing.T) {
	err := protocol.Errorf(protocol.NotFound, "video %d: %w", 7, io.ErrUnexpectedEOF)
	if err.Code != protocol.NotFound || err.Message != "video 7: unexpected EOF" || err.Retry || err.Remote || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%+v", err)
	}
	if s := err.Error(); s != "not_found: video 7: unexpected EOF" {
		t.Errorf("%q", s)
	}
	for _, tt := range codes { // only one is always safe to try again
		if err := protocol.Errorf(tt.code, "x"); err.Retry != (tt.code == protocol.Overloaded) || err.Unwrap() != nil {
			t.Errorf("%+v", err)
		}
	}
	again := err.Retryable()
	if !again.Retry || err.Retry || again.Code != err.Code || again.Message != err.Message || !errors.Is(again, io.ErrUnexpectedEOF) {
		t.Errorf("%+v of %+v", again, err)
	}
}

func TestCodesSurviveAnErrorFrame(t *testing.T) {
	for _, tt := range codes {
		f := protocol.Errorf(tt.code, "why: %w", io.EOF).Frame()
		if uint32(f.Code) != tt.number || f.Message != "why: EOF" || f.Remote || f.Conn || !f.Code.ForStream() {
			t.Errorf("%s is sent as %+v", tt.name, f)
		}
		f.Remote = true // as the peer sees it
		e := protocol.AsError(f)
		if e.Code != tt.code || e.Message != "why: EOF" || !e.Remote || e.Retry != (tt.code == protocol.Overloaded) || errors.Is(e, io.EOF) {
			t.Errorf("%s arrives as %+v", tt.name, e)
		}
	}
	if f := protocol.Errorf(protocol.Unknown, "why").Frame(); f.Code != frame.CodeApplication || !f.Code.ForStream() {
		t.Errorf("unknown is sent as %+v", f)
	}
}

func TestAsError(t *testing.T) {
	told := func(c frame.ErrorCode) error { return &rsocket.Error{Code: c, Message: "why", Remote: true} }
	for name, tt := range map[string]struct {
		err    error
		code   protocol.Code
		retry  bool
		remote bool
	}{
		"deadline":                {context.DeadlineExceeded, protocol.DeadlineExceeded, false, false},
		"deadline, wrapped":       {fmt.Errorf("call: %w", context.DeadlineExceeded), protocol.DeadlineExceeded, false, false},
		"canceled":                {fmt.Errorf("call: %w", context.Canceled), protocol.Canceled, false, false},
		"canceled by the peer":    {fmt.Errorf("send: %w", rsocket.ErrCanceled), protocol.Canceled, false, false},
		"draining":                {fmt.Errorf("open: %w", rsocket.ErrDraining), protocol.Unavailable, true, false},
		"closed":                  {fmt.Errorf("%w: by the peer", rsocket.ErrClosed), protocol.Unavailable, false, false},
		"closed, and said why":    {&rsocket.Error{Code: frame.CodeConnectionError, Message: "why", Remote: true, Conn: true}, protocol.Unavailable, false, false},
		"refused as a client":     {&rsocket.Error{Code: frame.CodeRejectedSetup, Message: "why", Remote: true, Conn: true}, protocol.Unavailable, false, false},
		"too large":               {fmt.Errorf("send: %w", rsocket.ErrTooLarge), protocol.TooLarge, false, false},
		"any other":               {io.ErrUnexpectedEOF, protocol.Internal, false, false},
		"a frame of this side":    {&rsocket.Error{Code: frame.CodeRejected, Message: "why"}, protocol.Internal, false, false},
		"REJECTED":                {told(frame.CodeRejected), protocol.Overloaded, true, true},
		"CANCELED":                {told(frame.CodeCanceled), protocol.Canceled, false, true},
		"INVALID":                 {told(frame.CodeInvalid), protocol.InvalidArgument, false, true},
		"APPLICATION_ERROR":       {told(frame.CodeApplication), protocol.Internal, false, true},
		"APPLICATION_ERROR, deep": {fmt.Errorf("call: %w", told(frame.CodeApplication)), protocol.Internal, false, true},
		"of a newer peer":         {told(0x3FF), protocol.Unknown, false, true},
		"of another application":  {told(frame.CodeCustomMax), protocol.Unknown, false, true},
	} {
		e := protocol.AsError(tt.err)
		if e.Code != tt.code || e.Retry != tt.retry || e.Remote != tt.remote || !errors.Is(e, tt.err) || e.Message == "" {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestAsErrorKeepsWhatIsOneAlready(t *testing.T) {
	own := protocol.Errorf(protocol.Forbidden, "no: %w", context.Canceled).Retryable()
	for _, err := range []error{own, fmt.Errorf("call: %w", own), errors.Join(io.EOF, own)} {
		if e := protocol.AsError(err); e != own {
			t.Errorf("%v becomes %+v", err, e)
		}
	}
	if e := protocol.AsError(nil); e != nil {
		t.Errorf("nil becomes %+v", e)
	}
}
