package bench

import (
	"github.com/spf13/cobra"

	"warmline.dev/bench/pieces"
	"warmline.dev/bench/pieces/memory"
)

func piecesEdgeCommand() *cobra.Command {
	return &cobra.Command{
		Use: pieces.EdgeCommand, Short: "The edge of a measurement", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return failed(pieces.ServeEdge(cmd.InOrStdin(), cmd.OutOrStdout()))
		},
	}
}

func piecesAdapterCommand() *cobra.Command {
	return &cobra.Command{
		Use: pieces.AdapterCommand + " ADDRESS METHOD CONVERSATIONS CALLS IN-FLIGHT", Short: "The adapter of a measurement", Hidden: true, Args: cobra.ExactArgs(5),
		RunE: func(cmd *cobra.Command, args []string) error {
			return failed(memory.Ask(args, cmd.InOrStdin(), cmd.OutOrStdout()))
		},
	}
}
