package nodelayer

import (
	"context"
	"sync"
	"time"

	"warmline.dev/protocol"
)

// Timings gathers how long each call of a device request took, and what its
// conversations came to. The zero value is empty; methods are safe for concurrent
// use.
type Timings struct {
	mu sync.Mutex
	// guarded by mu
	calls         []protocol.Timing
	conversations []protocol.Figures
}

const maxTimings = 100 // more would make the log line useless, not better

type timingsKey struct{}

// WithTimings returns a context whose conversations note their calls in t.
func WithTimings(ctx context.Context, t *Timings) context.Context {
	return context.WithValue(ctx, timingsKey{}, t)
}

func timingsOf(ctx context.Context) *Timings {
	t, _ := ctx.Value(timingsKey{}).(*Timings)
	return t
}

// Calls returns what was noted, in the order in which the calls ended; at most 100.
func (t *Timings) Calls() []protocol.Timing {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]protocol.Timing(nil), t.calls...)
}

// Conversations returns the figures of the conversations that were closed; at most 100.
func (t *Timings) Conversations() []protocol.Figures {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]protocol.Figures(nil), t.conversations...)
}

func (t *Timings) closed(f protocol.Figures) {
	if t == nil || f == (protocol.Figures{}) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.conversations) < maxTimings {
		t.conversations = append(t.conversations, f)
	}
}

func (t *Timings) add(method string, d time.Duration, err error) {
	if t == nil {
		return
	}
	timing := protocol.Timing{Method: method, Micros: d.Microseconds()}
	if err != nil {
		timing.Code = protocol.AsError(err).Code.String()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.calls) < maxTimings {
		t.calls = append(t.calls, timing)
	}
}
