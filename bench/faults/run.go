package faults

import (
	"context"
	"fmt"
	"io"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/peer"
)

// Failure is a measurement that came to nothing: a process that crashed where it
// should not, or did no job at all. The others go on.
type Failure struct {
	Contender string `json:"contender"`
	Fault     string `json:"fault"`
	Round     int    `json:"round"` // from 1
	Error     string `json:"error"`
}

// Run measures, and shows its progress on w. An error is of the configuration, or
// ctx's.
func Run(ctx context.Context, cfg Config, w io.Writer) (Report, error) {
	if err := cfg.Check(); err != nil {
		return Report{}, err
	}
	report := newReport(cfg)
	names := cfg.names()
	for _, name := range names {
		c, err := contender.Find(name)
		if err != nil {
			return Report{}, err
		}
		report.Add(harness.Settings{Name: c.Name, Settings: c.Settings + "; " + c.Resilience}, c.Module)
	}
	r := &run{cfg: cfg, report: &report, samples: map[cell][]sample{}}
	r.progress = harness.NewProgress(w, cfg.Rounds, len(cfg.faults())*len(names))
	defer r.progress.Pause()
	for round := range cfg.Rounds {
		for _, fault := range cfg.faults() {
			for _, name := range harness.Rotated(names, round, cfg.Rounds) {
				r.progress.Begin(name + ", " + fault)
				if err := r.measure(ctx, name, fault, round); err != nil {
					return Report{}, err
				}
				r.progress.Step()
			}
		}
	}
	report.fill(cfg, r.samples)
	return report, nil
}

type run struct {
	cfg      Config
	report   *Report
	progress *harness.Progress
	samples  map[cell][]sample
}

// sample is one measurement.
type sample struct {
	peer.Taken
	rate     float64
	capacity float64 // of one edge, in a closed loop; 0: not measured
	events   []Event
}

// measure makes the measurement of one contender in one round.
func (r *run) measure(ctx context.Context, name, fault string, round int) error {
	f, err := find(fault)
	if err != nil {
		return err
	}
	err = r.on(ctx, name, f, func(s *stage) error {
		taken, err := s.take(r, f)
		if err == nil {
			at := cell{name, fault}
			r.samples[at] = append(r.samples[at], taken)
		}
		return err
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		r.report.Failures = append(r.report.Failures, Failure{name, fault, round + 1, err.Error()})
		r.progress.Say("%s, %s, round %d came to nothing: %v", name, fault, round+1, err)
	}
	return nil
}

// Err is nil if every measurement came to something.
func (r Report) Err() error {
	if len(r.Failures) == 0 {
		return nil
	}
	f := r.Failures[0]
	return fmt.Errorf("%d measurements came to nothing, the first: %s, %s: %s", len(r.Failures), f.Contender, f.Fault, f.Error)
}
