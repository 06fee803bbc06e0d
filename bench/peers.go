package bench

import (
	"context"

	"github.com/spf13/cobra"

	"warmline.dev/bench/peer"
)

// The subcommands by which the command is started by itself. They end when their
// standard input does, and not by Ctrl-C, which a terminal sends to all at once:
// the process that measures has to see it first.

func tierServerCommand() *cobra.Command {
	var edge peer.Edge
	cmd := &cobra.Command{
		Use: peer.ServerCommand + " CONTENDER", Short: "The server of a measurement", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return failed(peer.Serve(context.WithoutCancel(cmd.Context()), args[0], edge, cmd.InOrStdin(), cmd.OutOrStdout()))
		},
	}
	cmd.Flags().StringVar(&edge.Address, peer.AddressFlag, "", "where it listens (default any port)")
	cmd.Flags().DurationVar(&edge.TTL, peer.TTLFlag, 0, "how long a value is fresh (default an hour)")
	return cmd
}

func tierClientCommand() *cobra.Command {
	var addresses []string
	var resilient bool
	cmd := &cobra.Command{
		Use: peer.ClientCommand + " CONTENDER", Short: "The client of a measurement", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return failed(peer.Ask(context.WithoutCancel(cmd.Context()), args[0], addresses, resilient, cmd.InOrStdin(), cmd.OutOrStdout()))
		},
	}
	cmd.Flags().StringSliceVar(&addresses, peer.AddressFlag, nil, "addresses of servers, separated by commas")
	cmd.Flags().BoolVar(&resilient, peer.ResilientFlag, false, "do what is usual where servers fail")
	return cmd
}
