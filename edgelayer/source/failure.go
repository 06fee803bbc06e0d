package source

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"warmline.dev/protocol"
)

// kind is what became of an attempt that has no answer.
type kind int

const (
	timeout     kind = iota // no answer in time
	unreachable             // no connection
	cutOff                  // the connection broke
	status                  // an HTTP status that is no answer
	garbage                 // a body that is not what was expected
	tooLarge                // a body of more than MaxBody

	// The source is to blame for the kinds above, and for none of these:
	blameless
	gaveUp // the caller's own context ended
	lost   // the other attempt of a hedge was first
)

// failure is why an attempt, or a request after its attempts, has no answer.
type failure struct {
	kind   kind
	again  bool          // another attempt may fare better
	unsent bool          // nothing has left this side
	wait   time.Duration // that the source asks for
	err    error
}

// Error is no longer than longestWhy: a source can put what it likes into some
// errors of net/http and encoding/json.
func (f *failure) Error() string {
	why := f.err.Error()
	if len(why) > longestWhy {
		why = why[:longestWhy] + "…"
	}
	return strings.ToValidUTF8(why, "�")
}

func (f *failure) Unwrap() error { return f.err }

const longestWhy = 300

// failed is the failure that err is; nil: an answer, or a refusal of this side.
func failed(err error) *failure {
	f, _ := errors.AsType[*failure](err)
	return f
}

// blamed is the failure that err is if the source is to blame for it.
func blamed(err error) *failure {
	if f := failed(err); f != nil && f.kind < blameless {
		return f
	}
	return nil
}

// answered reports whether err is none, or the source's own considered answer.
func answered(err error) bool {
	if err == nil {
		return true
	}
	e, ok := errors.AsType[*protocol.Error](err)
	return ok && (e.Code == protocol.NotFound || e.Code == protocol.InvalidArgument || e.Code == protocol.Forbidden)
}

// errLost ends the context of the attempt that lost.
var errLost = errors.New("the other attempt was first")

// ended is what becomes of an attempt that net/http gave up with err.
func ended(ctx context.Context, r *request, err error) *failure {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the URL, whose query is nobody's business
	}
	dial, _ := errors.AsType[*net.OpError](err)
	late, _ := errors.AsType[net.Error](err)
	switch {
	case r.caller.Err() != nil:
		return &failure{kind: gaveUp, err: because(r.caller.Err(), err)}
	case context.Cause(ctx) == errLost:
		return &failure{kind: lost, err: errLost}
	case ctx.Err() != nil:
		return &failure{kind: timeout, err: because(ctx.Err(), err)}
	case dial != nil && dial.Op == "dial":
		return &failure{kind: unreachable, again: true, unsent: true, err: fmt.Errorf("no connection: %w", err)}
	case late != nil && late.Timeout(): // the client has a timeout of its own
		return &failure{kind: timeout, again: true, err: because(context.DeadlineExceeded, err)}
	}
	return &failure{kind: cutOff, again: true, err: fmt.Errorf("the connection broke: %w", err)}
}

// because makes err match why: net/http gives the cause of a context instead of
// its error, which may be any error.
func because(why, err error) error {
	if errors.Is(err, why) {
		return err
	}
	return fmt.Errorf("%w: %w", why, err)
}

// tell turns what went wrong into what an adapter is told.
func (s *Source) tell(err error) error {
	f := failed(err)
	if f == nil {
		return err
	}
	name := s.cfg.Name
	switch {
	case f.kind == timeout:
		return protocol.Errorf(protocol.DeadlineExceeded, "source %s: no answer in time: %w", name, f)
	case f.kind == gaveUp && errors.Is(f.err, context.DeadlineExceeded):
		return protocol.Errorf(protocol.DeadlineExceeded, "source %s: no time is left for it: %w", name, f)
	case f.kind == gaveUp:
		return protocol.Errorf(protocol.Canceled, "source %s: %w", name, f)
	}
	return protocol.Errorf(protocol.Unavailable, "source %s: %w", name, f)
}
