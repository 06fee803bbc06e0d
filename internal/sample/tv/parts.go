package tv

import (
	"context"
	"slices"
	"sync"

	"warmline.dev/nodelayer"
	"warmline.dev/protocol"
)

// parts gathers what a page is made of. A part whose service is in trouble is
// left out and named; the page still comes.
type parts struct {
	conv *nodelayer.Conversation

	mu sync.Mutex
	// guarded by mu
	degraded []string
	refused  error // an answer that no page can do without
}

// ask asks for one part of the page; ok tells whether it is there.
func ask[T any](ctx context.Context, p *parts, part, method string, args any) (result T, ok bool) {
	result, err := nodelayer.Call[T](ctx, p.conv, method, args)
	if err == nil {
		return result, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch protocol.AsError(err).Code {
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
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.Sort(p.degraded)
	return p.degraded, p.refused
}
