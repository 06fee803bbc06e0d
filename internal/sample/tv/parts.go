package tv

import (
	"context"
	"slices"

	"warmline.dev/nodelayer"
	"warmline.dev/protocol"
)

// parts gathers what a page is made of. A part whose service is in trouble is
// left out and named; the page still comes. One of which something is there is
// named too.
type parts struct {
	degraded []string
	refused  error // an answer that no page can do without
}

// take takes one part of the page; ok tells whether it is there.
func take[T any](ctx context.Context, p *parts, part string, call *nodelayer.Pending) (result T, ok bool) {
	result, err := nodelayer.Await[T](ctx, call)
	if err == nil {
		if some, ok := any(result).(interface{ Partial() bool }); ok && some.Partial() {
			p.degraded = append(p.degraded, part)
		}
		return result, true
	}
	switch protocol.AsError(err).Code {
	case protocol.Overloaded:
		p.refused = err // nothing was done, and another time it will be
	case protocol.Unauthenticated, protocol.Forbidden, protocol.NotFound, protocol.InvalidArgument, protocol.Canceled:
		if p.refused == nil {
			p.refused = err // about the request and not about the service
		}
	default:
		p.degraded = append(p.degraded, part)
	}
	return result, false
}

// missing is the parts left out, in alphabetical order; nil if the page is whole.
func (p *parts) missing() ([]string, error) {
	slices.Sort(p.degraded)
	return p.degraded, p.refused
}
