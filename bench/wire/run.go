package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/wire/contender"
)

// Failure is a measurement that came to nothing: a contender that crashed, hung
// or answered wrongly. The others go on.
type Failure struct {
	Contender string `json:"contender"`
	contender.Load
	Round int    `json:"round"` // from 1
	Error string `json:"error"`
}

// Commands are the arguments by which this program becomes a peer of [Run].
type Commands struct {
	Serve func(name string, load contender.Load) []string
	Ask   func(q Question) []string
}

// Run measures, and shows its progress on w. An error is of the configuration,
// or ctx's.
func Run(ctx context.Context, cfg Config, commands Commands, w io.Writer) (Report, error) {
	groups, err := cfg.groups()
	if err != nil {
		return Report{}, err
	}
	report := newReport(cfg, groups)
	steps := 0
	for _, g := range groups {
		steps += len(g.contenders)
	}
	progress := harness.NewProgress(w, cfg.Rounds, steps)
	defer progress.Pause()
	samples := map[cell][]taken{}
	for round := range cfg.Rounds {
		for _, g := range groups {
			for _, name := range harness.Rotated(g.contenders, round, cfg.Rounds) {
				progress.Begin(fmt.Sprintf("%s, %d in flight, %d B", name, g.load.InFlight, g.load.Payload))
				t, err := measure(ctx, cfg, commands, name, g.load)
				if ctx.Err() != nil {
					return Report{}, ctx.Err()
				}
				if err != nil {
					report.Failures = append(report.Failures, Failure{name, g.load, round + 1, err.Error()})
					progress.Say("%s, %d in flight, %d B, round %d came to nothing: %v", name, g.load.InFlight, g.load.Payload, round+1, err)
				} else {
					at := cell{name, g.load}
					samples[at] = append(samples[at], t)
				}
				progress.Step()
			}
		}
	}
	report.fill(groups, samples)
	return report, nil
}

// taken is a client's sample with what its server had to allocate.
type taken struct {
	Sample
	serverMallocs uint64
}

// measure makes one measurement in two processes of its own.
func measure(ctx context.Context, cfg Config, commands Commands, name string, load contender.Load) (t taken, err error) {
	const patience = 30 * time.Second // to start, connect and answer what is in flight
	limit := cfg.WarmUp + cfg.Duration + patience
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done after %v", limit))
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx) // that it was killed says nothing
		}
	}()
	server, err := harness.Start(ctx, "server", commands.Serve(name, load)...)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	address, err := server.Line()
	if err != nil {
		return t, err
	}
	client, err := harness.Start(ctx, "client", commands.Ask(Question{name, address, load, cfg.WarmUp, cfg.Duration})...)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, client.Stop()) }()
	if line, err := client.Line(); err != nil || line != lineWarm {
		return t, orUnexpected(err, line)
	}
	return ask(client, server)
}

// ask has the client measure, and the server count meanwhile.
func ask(client, server *harness.Process) (t taken, err error) {
	before, err := mallocs(server)
	if err != nil {
		return t, err
	}
	line, err := client.Ask(lineMeasure)
	if err != nil {
		return t, err
	}
	if json.Unmarshal([]byte(line), &t.Sample) != nil {
		return t, orUnexpected(nil, line)
	}
	after, err := mallocs(server)
	t.serverMallocs = after - before
	return t, err
}

func mallocs(server *harness.Process) (uint64, error) {
	line, err := server.Ask(lineMallocs)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(line, 10, 64)
	if err != nil {
		return 0, orUnexpected(nil, line)
	}
	return n, nil
}

// orUnexpected is err, or else an error about a line that is none of ours: a
// contender must not print.
func orUnexpected(err error, line string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("it printed %q, which is not an answer to what it was asked", line)
}
