package bench

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"warmline.dev/bench/wire"
	"warmline.dev/bench/wire/contender"
)

func wireCommand() *cobra.Command {
	cfg := wire.Config{Contenders: contender.Names()}
	inFlight := numbers{values: []int{1, 16, 128, 1024}, least: 1, most: wire.MaxInFlight}
	payload := numbers{values: []int{256, 4096}, least: wire.MinPayload, most: wire.MaxPayload}
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "wire",
		Short: "An echo over loopback TCP, by each contender: rate, latency, allocations",
		Long: `Measures what one echo over loopback TCP costs by each contender: requests per
second, latency and allocations. Server and client are processes of their own.
The table is followed by the bars that the contenders measured allow to judge.

Contenders: ` + strings.Join(contender.Names(), ", "),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, decided := range []string{"contenders", "in-flight", "payload"} {
				if cfg.OnlyBars && cmd.Flags().Changed(decided) {
					return fmt.Errorf("--bars decides contenders, in-flight and payload: leave --%s away", decided)
				}
			}
			cfg.InFlight, cfg.Payload = inFlight.values, payload.values
			report, err := wire.Run(cmd.Context(), cfg, wireCommands, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return failed(write(cmd.OutOrStdout(), report, asJSON))
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&cfg.Contenders, "contenders", cfg.Contenders, "what is measured, separated by commas")
	f.Var(&inFlight, "in-flight", "requests under way at any time, separated by commas")
	f.Var(&payload, "payload", "bytes of each request and reply, separated by commas")
	f.IntVar(&cfg.Rounds, "rounds", 3, "how often each measurement is made; the table has the medians")
	f.DurationVar(&cfg.Duration, "duration", time.Second, "how long one measurement takes")
	f.DurationVar(&cfg.WarmUp, "warm-up", 300*time.Millisecond, "how long each is run before it counts")
	f.BoolVar(&cfg.OnlyBars, "bars", false, "measure what the bars need, and nothing else")
	f.BoolVar(&asJSON, "json", false, "print one JSON object instead of the table")
	return cmd
}

// numbers is a flag of whole numbers.
type numbers struct {
	values      []int
	least, most int
}

func (n *numbers) Set(s string) error {
	var values []int
	for field := range strings.SplitSeq(s, ",") {
		v, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || v < n.least || v > n.most {
			return fmt.Errorf("expected whole numbers from %d to %d, separated by commas", n.least, n.most)
		}
		values = append(values, v)
	}
	n.values = values
	return nil
}

func (n *numbers) String() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(n.values), " ", ","), "[]")
}

func (*numbers) Type() string { return "numbers" }
