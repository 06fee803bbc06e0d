package bench

import (
	"github.com/spf13/cobra"

	"warmline.dev/bench/link"
)

func linkServerCommand() *cobra.Command {
	var cfg link.Config
	cmd := &cobra.Command{
		Use: link.ServerCommand, Short: "A link between two tiers, which takes its time", Hidden: true, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return failed(link.Serve(cfg, cmd.InOrStdin(), cmd.OutOrStdout()))
		},
	}
	cmd.Flags().StringSliceVar(&cfg.To, link.ToFlag, nil, "targets, HOST:PORT, separated by commas; each gets an address of the link")
	cmd.Flags().DurationVar(&cfg.OneWay, link.OneWayFlag, 0, "what every byte takes each way")
	return cmd
}

func linkEchoCommand() *cobra.Command {
	return &cobra.Command{
		Use: link.EchoCommand, Short: "What the link is measured with", Hidden: true, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return failed(link.ServeEcho(cmd.InOrStdin(), cmd.OutOrStdout()))
		},
	}
}
