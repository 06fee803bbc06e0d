package job

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/link"
	"warmline.dev/bench/load"
	"warmline.dev/bench/peer"
)

// Failure is a measurement that came to nothing: a contender that crashed, hung
// or failed a job. The others go on.
type Failure struct {
	Contender string  `json:"contender"`
	RTT       float64 `json:"rtt_ms"`
	Mode      string  `json:"mode"`
	Round     int     `json:"round"` // from 1
	Error     string  `json:"error"`
}

// Run measures, and shows its progress on w. An error is of the configuration, of
// the link or of finding the rate, or ctx's.
func Run(ctx context.Context, cfg Config, w io.Writer) (Report, error) {
	if err := cfg.Check(); err != nil {
		return Report{}, err
	}
	contenders, err := contender.Present(ctx, cfg.Contenders, w)
	if err != nil {
		return Report{}, err
	}
	report := newReport(cfg)
	r := &run{cfg: cfg, report: &report, samples: map[cell][]sample{}}
	for _, c := range contenders {
		c.AddTo(&report.Head)
		r.names = append(r.names, c.Name)
	}
	r.progress = harness.NewProgress(w, cfg.Rounds, len(cfg.RTT)*len(r.names))
	defer r.progress.Pause()
	if report.Links, err = link.MeasureAll(ctx, cfg.RTT, cfg.Duration, r.progress); err != nil {
		return Report{}, err
	}
	if err := r.findRate(ctx); err != nil {
		return Report{}, err
	}
	for round := range cfg.Rounds {
		for _, rtt := range cfg.RTT {
			for _, name := range harness.Rotated(r.names, round, cfg.Rounds) {
				r.progress.Begin(fmt.Sprintf("%s, %v round trip", name, rtt))
				if err := r.measure(ctx, name, rtt, round); err != nil {
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
	names    []string // of the contenders that there are on this machine
	report   *Report
	progress *harness.Progress
	samples  map[cell][]sample
	rate     float64 // of the open loop without a link
}

// sample is one measurement.
type sample struct {
	peer.Measured
	rate float64
}

// findRate decides the rate of the open loop.
func (r *run) findRate(ctx context.Context) error {
	r.rate = r.cfg.Rate
	if r.rate > 0 || !slices.Contains(r.cfg.Modes, Open) {
		return nil
	}
	r.progress.Begin("how much " + Reference + " can do")
	var found []float64
	err := r.with(ctx, Reference, 0, func(p peer.Pair) error {
		s, err := r.take(p, r.cfg.closed())
		found = append(found, s.JobsPerSec)
		return err
	})
	if err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("finding the rate of the open loop by what %s can do: %w", Reference, err))
	}
	r.rate = Share * harness.Median(found)
	return nil
}

const timeout = 10 * time.Second // of a job

func (c Config) closed() load.Config {
	return load.Config{Concurrency: c.Concurrency, Duration: c.Duration, Timeout: timeout}
}

// measure makes the measurements of one contender in one round.
func (r *run) measure(ctx context.Context, name string, rtt time.Duration, round int) error {
	mode := r.cfg.Modes[0]
	err := r.with(ctx, name, rtt, func(p peer.Pair) error {
		for _, mode = range r.cfg.Modes {
			l := r.cfg.closed()
			if mode == Open {
				l.Concurrency, l.Rate = MaxConcurrency, r.rate
				if rtt > 0 && r.cfg.Rate == 0 {
					l.Rate /= 2
				}
			}
			s, err := r.take(p, l)
			if err != nil {
				return err
			}
			at := cell{name, rtt, mode}
			r.samples[at] = append(r.samples[at], s)
		}
		return nil
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		f := Failure{name, millis(rtt), mode, round + 1, err.Error()}
		r.report.Failures = append(r.report.Failures, f)
		r.progress.Say("%s, %v round trip, round %d came to nothing: %v", name, rtt, round+1, err)
	}
	return nil
}

// with starts the processes of a measurement, and stops them.
func (r *run) with(ctx context.Context, name string, rtt time.Duration, work func(peer.Pair) error) error {
	return peer.With(ctx, name, rtt, time.Duration(len(r.cfg.Modes))*(r.cfg.WarmUp+r.cfg.Duration), work)
}

// take makes one measurement.
func (r *run) take(p peer.Pair, l load.Config) (sample, error) {
	m, err := p.Measure(peer.Task{Kind: peer.Page, Load: l}, r.cfg.WarmUp)
	s := sample{m, l.Rate}
	if err != nil {
		return s, err
	}
	return s, s.complete()
}

// complete says what is missing of a sample. In a closed loop every job has to be
// done; an open one may ask for more than can be.
func (s sample) complete() error {
	if s.rate > 0 && s.Done > 0 {
		return nil
	}
	return s.Complete()
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
