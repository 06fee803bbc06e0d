package scale

import (
	"context"
	"fmt"
	"io"
	"time"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/load"
	"warmline.dev/bench/peer"
)

// Failure is a measurement that came to nothing: a contender that crashed, hung
// or failed a job, or did not hold what was opened. The others go on.
type Failure struct {
	Contender string `json:"contender"`
	Of        string `json:"of"`
	N         int    `json:"n"`
	Round     int    `json:"round"` // from 1
	Error     string `json:"error"`
}

func (f Failure) String() string {
	return fmt.Sprintf("%s, %d %s, round %d", f.Contender, f.N, f.Of, f.Round)
}

// Run measures, and shows its progress on w. An error is of the configuration or
// ctx's.
func Run(ctx context.Context, cfg Config, w io.Writer) (Report, error) {
	if err := cfg.Check(); err != nil {
		return Report{}, err
	}
	var err error
	if cfg.Contenders, err = contender.PresentNames(ctx, cfg.Contenders, w); err != nil {
		return Report{}, err
	}
	report := newReport(cfg)
	all := cfg.series()
	r := &run{cfg: cfg, report: &report, samples: map[cell][]sample{}}
	r.progress = harness.NewProgress(w, cfg.Rounds, len(all))
	defer r.progress.Pause()
	for round := range cfg.Rounds {
		for _, s := range harness.Rotated(all, round, cfg.Rounds) {
			if err := r.measure(ctx, s, round); err != nil {
				return Report{}, err
			}
			r.progress.Step()
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
	peer.Measured

	// Resident, when what was done is over. The last are for each one more than the
	// series has at least; 0: it is the least.
	adapterBytes, edgeBytes float64
	adapterEach, edgeEach   float64
}

// measure makes the measurements of one series in one round.
func (r *run) measure(ctx context.Context, s series, round int) error {
	at := cell{s.contender, s.of, s.numbers[0]}
	most := s.numbers[len(s.numbers)-1]
	atMost := time.Duration(len(s.numbers))*(r.cfg.WarmUp+r.cfg.Duration) + time.Duration(most)*toOpen[s.of]
	err := peer.With(ctx, s.contender, 0, atMost, func(p peer.Pair) error {
		var least sample
		for i, n := range s.numbers {
			at.n = n
			r.progress.Begin(fmt.Sprintf("%s, %d %s", at.contender, at.n, at.of))
			taken, err := r.take(p, at)
			if err != nil {
				return err
			}
			if i == 0 {
				least = taken
			} else {
				more := float64(n - s.numbers[0])
				taken.adapterEach = (taken.adapterBytes - least.adapterBytes) / more
				taken.edgeEach = (taken.edgeBytes - least.edgeBytes) / more
			}
			r.samples[at] = append(r.samples[at], taken)
		}
		return nil
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		f := Failure{at.contender, at.of, at.n, round + 1, err.Error()}
		r.report.Failures = append(r.report.Failures, f)
		r.progress.Say("%v came to nothing: %v", f, err)
	}
	return nil
}

// toOpen is what opening one takes at most, on a machine that is busy.
var toOpen = map[string]time.Duration{Lines: 50 * time.Millisecond, Conversations: time.Millisecond}

// take opens what is missing to the number, and makes one measurement.
func (r *run) take(p peer.Pair, at cell) (s sample, err error) {
	open := peer.Lines
	if at.of == Conversations {
		open = peer.Hold
	}
	if _, err := p.Client.Do(peer.Task{Kind: open, N: at.n}); err != nil {
		return s, err
	}
	// The garbage of the opening is not the jobs', on either side; see [peer.Task].
	if _, err := p.Server.Settled(); err != nil {
		return s, err
	}
	const timeout = 10 * time.Second // of a job
	t := peer.Task{Kind: peer.Page, Load: load.Config{Concurrency: r.cfg.Concurrency, Duration: r.cfg.Duration, Timeout: timeout}}
	if s.Measured, err = p.Measure(t, r.cfg.WarmUp); err != nil {
		return s, err
	}
	if err := s.Complete(); err != nil {
		return s, err
	}
	if at.of == Conversations {
		const some = 100
		if _, err := p.Client.Do(peer.Task{Kind: peer.Again, N: some}); err != nil {
			return s, err
		}
	}
	adapter, err := p.Client.Do(peer.Task{Kind: peer.Settle})
	if err != nil {
		return s, err
	}
	edge, err := p.Server.Settled()
	s.adapterBytes, s.edgeBytes = float64(adapter.Adapter.Memory), float64(edge.Memory)
	return s, err
}
