package pieces

import (
	"context"
	"fmt"
	"io"

	"warmline.dev/bench/harness"
)

// Run measures, and shows its progress on w. An error is of the configuration,
// or ctx's.
func Run(ctx context.Context, cfg Config, w io.Writer) (Report, error) {
	groups, err := cfg.groups()
	if err != nil {
		return Report{}, err
	}
	return run(ctx, cfg, groups, w)
}

func run(ctx context.Context, cfg Config, groups []group, w io.Writer) (Report, error) {
	report := newReport(cfg, groups)
	all, err := report.prepare(ctx, groups, w)
	defer all.close()
	if err != nil {
		return Report{}, err
	}
	byName := map[string]piece{}
	var names []string
	for _, p := range all.pieces {
		byName[p.name] = p
		names = append(names, p.name)
	}
	progress := harness.NewProgress(w, cfg.Rounds, len(names))
	defer progress.Pause()
	samples := map[string][]sample{}
	for round := range cfg.Rounds {
		for _, name := range harness.Rotated(names, round, cfg.Rounds) {
			progress.Begin(name)
			s, err := byName[name].measure(ctx, cfg)
			if ctx.Err() != nil {
				return Report{}, ctx.Err()
			}
			if err != nil {
				report.Failures = append(report.Failures, Failure{name, round + 1, err.Error()})
				progress.Say("%s, round %d came to nothing: %v", name, round+1, err)
			} else {
				samples[name] = append(samples[name], s)
			}
			progress.Step()
		}
	}
	report.Figures = append(report.Figures, all.figures...)
	report.fill(all.pieces, samples)
	return report, nil
}

// prepare makes all groups ready, which the caller closes. One that can't be is a
// failure, and the others go on; the error is ctx's.
func (r *Report) prepare(ctx context.Context, groups []group, w io.Writer) (all ready, _ error) {
	var closers []func()
	all.close = func() {
		for _, f := range closers {
			f()
		}
	}
	fmt.Fprintln(w, "making ready what is measured")
	for _, g := range groups {
		if ctx.Err() != nil {
			break
		}
		one, err := g.prepare(ctx)
		if one.close != nil {
			closers = append(closers, one.close)
		}
		if err != nil && ctx.Err() == nil {
			r.Failures = append(r.Failures, Failure{g.name, 0, err.Error()})
			fmt.Fprintf(w, "%s can't be made ready: %v\n", g.name, err)
		}
		for _, p := range one.pieces {
			p.group = g.name
			all.pieces = append(all.pieces, p)
		}
		all.figures = append(all.figures, one.figures...)
	}
	return all, ctx.Err()
}
