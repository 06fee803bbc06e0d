package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Exit codes of the command.
const (
	exitOK          = 0
	exitFailed      = 1 // a measurement came to nothing
	exitUsage       = 2 // it was not tried: the command line makes no sense
	exitInterrupted = 130
)

// Run runs one command line and returns its exit code. When ctx ends it stops at
// once, and has left no process behind when it returns.
//
// The process must end when Run has returned: as a server or a client of a
// measurement it leaves goroutines.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	err := execute(ctx, args, stdin, stdout, stderr)
	if err == nil {
		return exitOK
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		fmt.Fprintln(stderr, "warmline-bench: interrupted")
		return exitInterrupted
	}
	fmt.Fprintf(stderr, "warmline-bench: %v\n", err)
	if _, tried := errors.AsType[failedError](err); tried {
		return exitFailed
	}
	return exitUsage
}

// execute runs one command line.
func execute(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	root := &cobra.Command{
		Use:   "warmline-bench",
		Short: "Measures Warmline against what else could be used",
		Long: `Measures Warmline against what else could be used, on this machine.

  warmline-bench report --quick   all of it, as a page with charts: five minutes
  warmline-bench job              a device request, by each contender
  warmline-bench chain            latency against depth of dependency and fan-out
  warmline-bench scale            cost and memory as lines and open conversations grow
  warmline-bench faults           device requests while edges fail
  warmline-bench pieces           what a device request is made of, piece by piece
  warmline-bench wire             an echo over loopback TCP, by each contender
  warmline-bench wire --bars      what the engine has to reach, within a minute`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		wireCommand(), wireServerCommand(), wireClientCommand(),
		jobCommand(), tierServerCommand(), tierClientCommand(), linkServerCommand(), linkEchoCommand(),
		piecesCommand(), piecesEdgeCommand(), piecesAdapterCommand(),
		faultsCommand(),
		chainCommand(),
		scaleCommand(),
		reportCommand(),
	)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())
	})
	return root.ExecuteContext(ctx)
}

// failedError is one of the measuring, not of the command line.
type failedError struct{ error }

func (e failedError) Unwrap() error { return e.error }

// failed marks an error as one of the measuring.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return failedError{err}
}

// noArgs tells who gave one which subcommands there are.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" {
			names = append(names, sub.Name())
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("%s takes no arguments, got %q; see %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())
	}
	return fmt.Errorf("no bench %q: there is %s", args[0], strings.Join(names, ", "))
}
