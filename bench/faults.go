package bench

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"warmline.dev/bench/faults"
)

func faultsCommand() *cobra.Command {
	cfg := faults.Config{Contenders: faults.Contenders(), Faults: faults.Names()}
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "faults",
		Short: "Device requests while edges die, hang, are replaced, or have too much to do",
		Long: `Measures how many device requests fail, and how long the others take, while
something happens to the edges that an adapter asks:

  none       nothing, to compare with
  kill       one of two edges is killed (kill -9), and back a second later
  hang       the source behind both edges hangs for a second
  replace    both edges are replaced, one after the other: each is told to stop when
             a new one is up
  overload   one edge is asked for twice what it carries, measured just before

Edges and adapter are processes of their own. The adapter begins jobs at a rate,
whatever becomes of them, and each contender does what is usual with it where
servers fail: the table says what. A timeline has what happened when.

Contenders: ` + strings.Join(faults.Contenders(), ", "),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := faults.Run(cmd.Context(), cfg, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return failed(write(cmd.OutOrStdout(), report, asJSON))
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&cfg.Contenders, "contenders", cfg.Contenders, "what is measured, separated by commas")
	f.StringSliceVar(&cfg.Faults, "faults", cfg.Faults, "what happens, separated by commas")
	f.Float64Var(&cfg.Rate, "rate", 500, "jobs begun a second, except in an overload; it should be well below what can be done")
	f.IntVar(&cfg.Rounds, "rounds", 2, "how often each measurement is made; the table has the medians")
	f.DurationVar(&cfg.Duration, "duration", 3*time.Second, "how long one measurement takes; below 3s what happens is over faster")
	f.DurationVar(&cfg.WarmUp, "warm-up", 300*time.Millisecond, "how long each is run before it counts")
	f.BoolVar(&asJSON, "json", false, "print one JSON object instead of the table")
	return cmd
}
