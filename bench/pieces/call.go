package pieces

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/pieces/memory"
)

// Subcommands by which this program becomes a peer of [Run]: [ServeEdge], without
// arguments, and [memory.Ask] with its own.
const (
	EdgeCommand    = "pieces-edge"
	AdapterCommand = "pieces-adapter"
)

// calls are those of a conversation, all different: its view answers none of them.
const calls = 1024

func prepareCall(context.Context) (ready, error) {
	var pieces []piece
	for _, inFlight := range []int{64, 16, 1} {
		a := memory.Asking{Method: memory.Declared, Conversations: 1, Calls: calls, InFlight: inFlight}
		pieces = append(pieces, piece{
			name:    fmt.Sprintf("call from memory, %d in flight", inFlight),
			measure: func(ctx context.Context, cfg Config) (sample, error) { return measureCall(ctx, cfg, a) },
		})
	}
	return ready{pieces: pieces}, nil
}

// measureCall measures what a call costs an edge, in two processes of their own.
func measureCall(ctx context.Context, cfg Config, a memory.Asking) (s sample, err error) {
	const patience = 30 * time.Second // to start, connect, and end what was begun
	limit := 4*(cfg.WarmUp+cfg.Duration) + patience
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done after %v", limit))
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx) // that it was killed says nothing
		}
	}()
	edge, err := harness.Start(ctx, "edge", EdgeCommand)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, edge.Stop()) }()
	address, err := edge.Line()
	if err != nil {
		return s, err
	}
	adapter, err := harness.Start(ctx, "adapter", append([]string{AdapterCommand}, a.Args(address)...)...)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, adapter.Stop()) }()
	each, err := warmUp(adapter, cfg.WarmUp)
	if err != nil {
		return s, err
	}
	before, err := usage(edge, lineCollect)
	if err != nil {
		return s, err
	}
	conversations := max(1, int(cfg.Duration/each))
	if err := memory.Hold(adapter, conversations); err != nil {
		return s, err
	}
	after, err := usage(edge, lineUsage)
	if err != nil {
		return s, err
	}
	used := after.Since(before)
	if used.CPU == 0 {
		return s, errors.New("this system does not tell the processor time of a process")
	}
	return per(conversations*calls, used.CPU, used), nil
}

// warmUp has an adapter hold conversations for a while, at least two, and returns what
// the last took.
func warmUp(adapter *harness.Process, d time.Duration) (each time.Duration, err error) {
	began := time.Now()
	for n := 0; n < 2 || time.Since(began) < d; n++ {
		at := time.Now()
		if err := memory.Hold(adapter, 1); err != nil {
			return 0, err
		}
		each = time.Since(at)
	}
	return each, nil
}

func usage(edge *harness.Process, line string) (u harness.Usage, err error) {
	answer, err := edge.Ask(line)
	if err == nil && json.Unmarshal([]byte(answer), &u) != nil {
		err = fmt.Errorf("the edge printed %q, expected what it has used", answer)
	}
	return u, err
}
