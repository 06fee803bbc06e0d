package bench

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"warmline.dev/bench/link"
)

// The subcommands by which the command becomes a link between two tiers. They end
// as those of the wire do.
const (
	linkServer = "link-server"
	linkEcho   = "link-echo"
)

// linkCommands are the command lines of the subcommands below.
var linkCommands = link.Commands{
	Link: func(to []string, oneWay time.Duration) []string {
		return []string{linkServer, "--to", strings.Join(to, ","), "--one-way", oneWay.String()}
	},
	Echo: []string{linkEcho},
}

func linkServerCommand() *cobra.Command {
	var cfg link.Config
	cmd := &cobra.Command{
		Use: linkServer, Short: "A link between two tiers, which takes its time", Hidden: true, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return failed(link.Serve(cfg, cmd.InOrStdin(), cmd.OutOrStdout()))
		},
	}
	cmd.Flags().StringSliceVar(&cfg.To, "to", nil, "targets, HOST:PORT, separated by commas; each gets an address of the link")
	cmd.Flags().DurationVar(&cfg.OneWay, "one-way", 0, "what every byte takes each way")
	return cmd
}

func linkEchoCommand() *cobra.Command {
	return &cobra.Command{
		Use: linkEcho, Short: "What the link is measured with", Hidden: true, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return failed(link.ServeEcho(cmd.InOrStdin(), cmd.OutOrStdout()))
		},
	}
}
