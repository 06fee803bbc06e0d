package bench

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"warmline.dev/bench/chain"
	"warmline.dev/bench/job/contender"
)

func chainCommand() *cobra.Command {
	cfg := chain.Config{Contenders: contender.Names()}
	depth := numbers{values: []int{1, 2, 4, 8}, least: 1, most: chain.MaxDepth}
	width := numbers{values: []int{1, 10, 100}, least: 1, most: chain.MaxWidth}
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "chain",
		Short: "Latency against depth of dependency and fan-out, by each contender",
		Long: `Measures how long a job takes as it has more questions, by each contender: a
chain, in which each question needs the answer to the one before, and a fan, in
which all can be asked at once. The answers cost nothing, so that what is left is
the asking. Adapter and edge are processes of their own, with a round-trip time
between them; one job is under way at a time.

Contenders: ` + strings.Join(contender.Names(), ", "),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg.Depths, cfg.Widths = depth.values, width.values
			report, err := chain.Run(cmd.Context(), cfg, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return failed(write(cmd.OutOrStdout(), report, asJSON))
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&cfg.Contenders, "contenders", cfg.Contenders, "what is measured, separated by commas")
	f.DurationSliceVar(&cfg.RTT, "rtt", []time.Duration{0, time.Millisecond}, "round-trip times between adapter and edge, separated by commas")
	f.StringSliceVar(&cfg.Shapes, "shapes", []string{chain.Chain, chain.Fan}, "chain: each question needs the one before; fan: all at once")
	f.Var(&depth, "depth", "questions of a chain, separated by commas")
	f.Var(&width, "width", "questions of a fan, separated by commas")
	f.IntVar(&cfg.Concurrency, "concurrency", 1, "jobs under way at any time")
	f.IntVar(&cfg.Rounds, "rounds", 3, "how often each measurement is made; the table has the medians")
	f.DurationVar(&cfg.Duration, "duration", 400*time.Millisecond, "how long one measurement takes")
	f.DurationVar(&cfg.WarmUp, "warm-up", 100*time.Millisecond, "how long each is run before it counts")
	f.BoolVar(&asJSON, "json", false, "print one JSON object instead of the table")
	return cmd
}
