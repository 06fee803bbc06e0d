package bench

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/scale"
)

func scaleCommand() *cobra.Command {
	cfg := scale.Config{}
	lines := numbers{values: []int{1, 10, 100, 1000}, least: 1, most: scale.MaxLines}
	conversations := numbers{values: []int{1, 1000, 10_000, 100_000}, least: 1, most: scale.MaxConversations}
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "scale",
		Short: "Cost of a job and memory, as lines and open conversations grow",
		Long: `Measures what a device request costs, and how much memory adapter and edge hold,
as there are more lines, each of which is what an adapter has open to an edge, and
as there are more conversations that are open, and idle, on one line. Not every
contender has conversations. Adapter and edge are processes of their own.

Contenders: ` + strings.Join(contender.Names(), ", "),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg.Lines, cfg.Conversations = lines.values, conversations.values
			report, err := scale.Run(cmd.Context(), cfg, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return failed(write(cmd.OutOrStdout(), report, asJSON))
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&cfg.Contenders, "contenders", scale.Default(), "what is measured, separated by commas")
	f.StringSliceVar(&cfg.Of, "of", []string{scale.Lines, scale.Conversations}, "what there are more and more of")
	f.Var(&lines, "lines", "how many lines, separated by commas")
	f.Var(&conversations, "conversations", "how many open conversations, separated by commas")
	f.IntVar(&cfg.Concurrency, "concurrency", 8, "jobs under way at any time")
	f.IntVar(&cfg.Rounds, "rounds", 3, "how often each measurement is made; the table has the medians")
	f.DurationVar(&cfg.Duration, "duration", 300*time.Millisecond, "how long one measurement takes")
	f.DurationVar(&cfg.WarmUp, "warm-up", 100*time.Millisecond, "how long each is run before it counts")
	f.BoolVar(&asJSON, "json", false, "print one JSON object instead of the table")
	return cmd
}
