package bench

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"warmline.dev/bench/job"
	"warmline.dev/bench/job/contender"
)

func jobCommand() *cobra.Command {
	cfg := job.Config{Contenders: contender.Names()}
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "job",
		Short: "A device request by each contender: latency, processor time, bytes",
		Long: `Measures what a device request costs by each contender: an adapter asks an edge
for a profile, with that for recommendations, and with these for films and
ratings at once. The caches behind all contenders are the same, and warm. Adapter
and edge are processes of their own, with a round-trip time between them.
The table is followed by the bars that the contenders measured allow to judge.

Contenders: ` + strings.Join(contender.Names(), ", "),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := job.Run(cmd.Context(), cfg, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return failed(write(cmd.OutOrStdout(), report, asJSON))
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&cfg.Contenders, "contenders", cfg.Contenders, "what is measured, separated by commas")
	f.DurationSliceVar(&cfg.RTT, "rtt", []time.Duration{0, 500 * time.Microsecond, time.Millisecond, 5 * time.Millisecond}, "round-trip times between adapter and edge, separated by commas")
	f.StringSliceVar(&cfg.Modes, "modes", []string{job.Closed, job.Open}, "closed: so many jobs under way; open: so many begun a second")
	f.IntVar(&cfg.Concurrency, "concurrency", 8, "jobs under way in the closed loop")
	f.Float64Var(&cfg.Rate, "rate", 0, "jobs a second in the open loop (default 80 % of what "+job.Reference+" can do, half of that with a round-trip time)")
	f.IntVar(&cfg.Rounds, "rounds", 3, "how often each measurement is made; the table has the medians")
	f.DurationVar(&cfg.Duration, "duration", time.Second, "how long one measurement takes")
	f.DurationVar(&cfg.WarmUp, "warm-up", 300*time.Millisecond, "how long each is run before it counts")
	f.BoolVar(&asJSON, "json", false, "print one JSON object instead of the table")
	return cmd
}
