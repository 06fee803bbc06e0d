package sample

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestSpread(t *testing.T) {
	const median = 10 * time.Millisecond
	tests := map[string]struct {
		median          time.Duration
		normal, uniform float64
		from, to        time.Duration
	}{
		"median":       {median, 0, 0.5, median, median},
		"quick":        {median, -1, 0.5, 7 * time.Millisecond, 8 * time.Millisecond},
		"slow":         {median, 1, 0.5, 13 * time.Millisecond, 14 * time.Millisecond},
		"tail":         {median, 0, 0.009, 8 * median, 8 * median},
		"no tail":      {median, 0, 0.01, median, median},
		"absurd draw":  {median, 30, 0.5, 20 * median, 20 * median},
		"absurd tail":  {median, 30, 0, 20 * median, 20 * median},
		"longest":      {maxLatency, 30, 0, 20 * maxLatency, 20 * maxLatency},
		"without":      {0, 1, 0, 0, 0},
		"other median": {time.Second, 0, 0.5, time.Second, time.Second},
	}
	for name, test := range tests {
		if d := spread(test.median, test.normal, test.uniform); d < test.from || d > test.to {
			t.Errorf("%s: %s, want %s to %s", name, d, test.from, test.to)
		}
	}
}

func TestDelayEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- delay(ctx, maxLatency) }()
	waitRunning(t, "sample.delay", 1)
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("delay: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("delay goes on")
	}
	if err := delay(context.Background(), 0); err != nil {
		t.Errorf("delay of none: %v", err)
	}
	if err := delay(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("delay of none, after the context: %v", err)
	}
}
