package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Exit codes of the command.
const (
	exitOK     = 0
	exitFailed = 1 // it was tried and did not work
	exitUsage  = 2 // it was not tried: the command line makes no sense
)

// Run runs one command line and returns its exit code. It returns when ctx ends
// and what was under way has finished, or could not within the grace period.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:   "warmline",
		Short: "A remote service layer on RSocket channels",
		Long: `Warmline is a remote service layer on RSocket channels: adapters keep channels
open to an edge that answers from warm caches, and gateways bridge HTTP to them.

  warmline dev        everything at once, to try it
  warmline gateway    the tiers, one process each
  warmline node
  warmline edge
  warmline sample
  warmline call       asks an edge from the shell
  warmline cache      drops what edges keep warm
  warmline devices    says which kinds of device are known, and tells gateways of others
  warmline revocation tells gateways whose account has changed
  warmline peer       makes tokens for who may dial

Every flag can be given as an environment variable too, named in its help.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	s := &settings{stdin: stdin, stdout: stdout, stderr: stderr}
	s.addGlobalFlags(root.PersistentFlags())
	root.AddCommand(devCommand(s), sampleCommand(s), edgeCommand(s), nodeCommand(s), gatewayCommand(s), callCommand(s), cacheCommand(s), devicesCommand(s), revocationCommand(s), keyCommand(s), peerCommand(s), versionCommand(s))
	nameVariables(root, root.PersistentFlags())
	for _, cmd := range root.Commands() {
		nameVariables(cmd, cmd.Flags())
		for _, sub := range cmd.Commands() {
			nameVariables(sub, sub.Flags())
		}
	}
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "warmline: %v\n", err)
	if s.started && !isUsage(err) {
		return exitFailed
	}
	return exitUsage
}

// usageError is a command line that makes no sense.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func isUsage(err error) bool {
	_, ok := errors.AsType[usageError](err)
	return ok
}
