package source

import (
	"context"
	"sync/atomic"

	"github.com/sony/gobreaker/v2"

	"warmline.dev/protocol"
)

// breaker leaves a source alone that fails.
type breaker struct {
	name    string
	circuit *gobreaker.CircuitBreaker[struct{}] // nil: off
	refused atomic.Int64
}

func newBreaker(cfg Config) *breaker {
	c := cfg.Breaker
	if c.MinRequests < 0 {
		return &breaker{name: cfg.Name}
	}
	return &breaker{name: cfg.Name, circuit: gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name:         cfg.Name,
		Interval:     c.Window,
		BucketPeriod: c.Window / 10,
		Timeout:      c.OpenFor,
		ReadyToTrip: func(n gobreaker.Counts) bool {
			all := n.TotalSuccesses + n.TotalFailures
			return all >= uint32(c.MinRequests) && float64(n.TotalFailures) >= c.FailureRatio*float64(all)
		},
		// A caller that gave up, or that came with next to no time, says nothing
		// about the source; an answer that says no is one.
		IsExcluded:   func(err error) bool { return blamed(err) == nil && !answered(err) },
		IsSuccessful: answered,
		OnStateChange: func(_ string, from, to gobreaker.State) {
			cfg.Log.Warn().Str("source", cfg.Name).Stringer("from", from).Stringer("to", to).Msg("breaker")
		},
	})}
}

func (b *breaker) around(next step) step {
	if b.circuit == nil {
		return next
	}
	return func(ctx context.Context, r *request) error {
		_, err := b.circuit.Execute(func() (struct{}, error) { return struct{}{}, next(ctx, r) })
		if err == gobreaker.ErrOpenState || err == gobreaker.ErrTooManyRequests {
			b.refused.Add(1)
			return protocol.Errorf(protocol.Unavailable, "source %s: left alone after failures: %w", b.name, err).Retryable()
		}
		return err
	}
}

// state is "closed", "half-open", "open" or "off".
func (b *breaker) state() string {
	if b.circuit == nil {
		return "off"
	}
	return b.circuit.State().String()
}
