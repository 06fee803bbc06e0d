package bench

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"warmline.dev/bench/pieces"
)

func piecesCommand() *cobra.Command {
	var cfg pieces.Config
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "pieces",
		Short: "What a device request is made of, piece by piece: time, allocations, memory",
		Long: `Measures the pieces that a device request is made of, each by itself: a passport
that is verified, a cookie that is checked against 115,000 revoked ids, a hit in a
warm cache, messages that are encoded and decoded, and what one call of a
conversation that is answered from memory costs the edge. The table is followed by
the bars that the pieces measured allow to judge. All of it takes within a minute.

Pieces: ` + strings.Join(pieces.Groups(), ", "),
		Example: `  warmline-bench pieces
  warmline-bench pieces --pieces passport,cache --rounds 9
  warmline-bench pieces --rounds 1 --duration 100ms --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := pieces.Run(cmd.Context(), cfg, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return failed(write(cmd.OutOrStdout(), report, asJSON))
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&cfg.Groups, "pieces", pieces.Groups(), "what is measured, separated by commas")
	f.IntVar(&cfg.Rounds, "rounds", 3, "how often each measurement is made; the table has the medians")
	f.DurationVar(&cfg.Duration, "duration", 500*time.Millisecond, "how long one measurement takes")
	f.DurationVar(&cfg.WarmUp, "warm-up", 100*time.Millisecond, "how long each is run before it counts")
	f.BoolVar(&asJSON, "json", false, "print one JSON object instead of the table")
	return cmd
}
