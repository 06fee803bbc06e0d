package chain

import (
	"context"
	"fmt"
	"io"
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
	Shape     string  `json:"shape"`
	N         int     `json:"n"`
	Round     int     `json:"round"` // from 1
	Error     string  `json:"error"`
}

func (f Failure) String() string {
	return fmt.Sprintf("%s, %g ms round trip, %s of %d, round %d", f.Contender, f.RTT, f.Shape, f.N, f.Round)
}

// Run measures, and shows its progress on w. An error is of the configuration, of
// the link, or ctx's.
func Run(ctx context.Context, cfg Config, w io.Writer) (Report, error) {
	if err := cfg.Check(); err != nil {
		return Report{}, err
	}
	var err error
	if cfg.Contenders, err = contender.PresentNames(ctx, cfg.Contenders, w); err != nil {
		return Report{}, err
	}
	report := newReport(cfg)
	rtts, names := ascending(cfg.RTT), cfg.names()
	r := &run{cfg: cfg, report: &report, samples: map[cell][]peer.Measured{}}
	r.progress = harness.NewProgress(w, cfg.Rounds, len(rtts)*len(names))
	defer r.progress.Pause()
	if report.Links, err = link.MeasureAll(ctx, rtts, cfg.Duration, r.progress); err != nil {
		return Report{}, err
	}
	for round := range cfg.Rounds {
		for _, rtt := range rtts {
			for _, name := range harness.Rotated(names, round, cfg.Rounds) {
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
	report   *Report
	progress *harness.Progress
	samples  map[cell][]peer.Measured
}

// measure makes the measurements of one contender in one round.
func (r *run) measure(ctx context.Context, name string, rtt time.Duration, round int) error {
	rows := r.cfg.rows()
	at := rows[0]
	atMost := time.Duration(len(rows)) * (r.cfg.WarmUp + r.cfg.Duration)
	err := peer.With(ctx, name, rtt, atMost, func(p peer.Pair) error {
		for _, at = range rows {
			t := peer.Task{Kind: at.shape, N: at.n, Load: load.Config{
				Concurrency: r.cfg.Concurrency, Duration: r.cfg.Duration, Timeout: r.cfg.timeout(at, rtt),
			}}
			measured, err := p.Measure(t, r.cfg.WarmUp)
			if err == nil {
				err = measured.Complete()
			}
			if err != nil {
				return err
			}
			c := cell{name, rtt, at}
			r.samples[c] = append(r.samples[c], measured)
		}
		return nil
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		f := Failure{name, millis(rtt), at.shape, at.n, round + 1, err.Error()}
		r.report.Failures = append(r.report.Failures, f)
		r.progress.Say("%v came to nothing: %v", f, err)
	}
	return nil
}

// timeout of a job: what it may take by itself, and a round trip for each question.
func (c Config) timeout(at row, rtt time.Duration) time.Duration {
	return 10*time.Second + time.Duration(at.n)*rtt
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
