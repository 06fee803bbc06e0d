package bench

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"warmline.dev/bench/wire"
	"warmline.dev/bench/wire/contender"
)

// The subcommands by which the command is started by itself. They end when their
// standard input does, and not by Ctrl-C, which a terminal sends to all at once:
// the process that measures has to see it first.
const (
	wireServer = "wire-server"
	wireClient = "wire-client"
)

// wireCommands are the command lines of the subcommands below.
var wireCommands = wire.Commands{
	Serve: func(name string, load contender.Load) []string {
		return append([]string{wireServer, name}, loadArgs(load)...)
	},
	Ask: func(q wire.Question) []string {
		return append([]string{
			wireClient, q.Contender, "--address", q.Address,
			"--warm-up", q.WarmUp.String(), "--duration", q.Duration.String(),
		}, loadArgs(q.Load)...)
	},
}

func loadArgs(load contender.Load) []string {
	return []string{"--in-flight", strconv.Itoa(load.InFlight), "--payload", strconv.Itoa(load.Payload)}
}

func addLoadFlags(f *pflag.FlagSet, load *contender.Load) {
	f.IntVar(&load.InFlight, "in-flight", 1, "requests under way at any time")
	f.IntVar(&load.Payload, "payload", 256, "bytes of each request")
}

func wireServerCommand() *cobra.Command {
	var load contender.Load
	cmd := &cobra.Command{
		Use: wireServer + " CONTENDER", Short: "The server of one measurement", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return failed(wire.Serve(args[0], load, cmd.InOrStdin(), cmd.OutOrStdout()))
		},
	}
	addLoadFlags(cmd.Flags(), &load)
	return cmd
}

func wireClientCommand() *cobra.Command {
	var q wire.Question
	cmd := &cobra.Command{
		Use: wireClient + " CONTENDER", Short: "The client of one measurement", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q.Contender = args[0]
			return failed(wire.Ask(context.WithoutCancel(cmd.Context()), q, cmd.InOrStdin(), cmd.OutOrStdout()))
		},
	}
	addLoadFlags(cmd.Flags(), &q.Load)
	cmd.Flags().StringVar(&q.Address, "address", "", "address of the server")
	cmd.Flags().DurationVar(&q.WarmUp, "warm-up", 0, "how long it runs before it counts")
	cmd.Flags().DurationVar(&q.Duration, "duration", time.Second, "how long it measures")
	return cmd
}
