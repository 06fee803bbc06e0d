package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/admin"
	"warmline.dev/internal/credentials"
)

const defaultAdmin = admin.DefaultEdge

// adminPatience is how long an edge's admin port may take to answer.
const adminPatience = 5 * time.Second

func cacheCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Drop what edges keep warm",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(invalidateCommand(s))
	return cmd
}

func invalidateCommand(s *settings) *cobra.Command {
	var prefix, all bool
	var at string
	var files credentials.Files
	cmd := &cobra.Command{
		Use:   "invalidate SOURCE[.READ] KEY [--prefix] | SOURCE[.READ] --all",
		Short: "Say that something has changed at a source",
		Long: `Says that something has changed at a source: an edge drops it from its warm
caches, and tells the other edges over the bus. It is loaded anew when somebody
asks for it. READ is what is read from the source; without, everything that is.

  warmline cache invalidate catalogue.film 17
  warmline cache invalidate catalogue.film fr/ --prefix
  warmline cache invalidate catalogue --all

It fails if the other edges could not be told. To say it again does no harm.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := s.begin(cmd); err != nil {
				return err
			}
			i, err := invalidationOf(args, prefix, all)
			if err != nil {
				return usageError{fmt.Errorf("%w; see warmline cache invalidate --help", err)}
			}
			if err := admin.CheckURL(at); err != nil {
				return usageError{fmt.Errorf("--admin: %w", err)}
			}
			if files == (credentials.Files{}) {
				files, _ = leftForTools(cmd.Context(), at, false)
			}
			c, _, err := openCredentials(files, zerolog.Nop())
			if err != nil {
				return err
			}
			return s.invalidate(cmd.Context(), admin.Client{TLS: c.Client(), Token: c.Token()}, at, i)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&prefix, "prefix", false, "drop all keys that begin with KEY")
	f.BoolVar(&all, "all", false, "drop all keys there are")
	f.StringVar(&at, "admin", "http://"+defaultAdmin, "the admin port of any edge")
	addDialling(f, &files)
	return cmd
}

// invalidationOf takes the command line apart.
func invalidationOf(args []string, prefix, all bool) (warm.Invalidation, error) {
	var i warm.Invalidation
	switch {
	case prefix && all:
		return i, errors.New("expected --prefix or --all, and not both")
	case all && len(args) != 1:
		return i, errors.New("expected SOURCE[.READ], and no KEY, with --all")
	case !all && len(args) != 2:
		return i, errors.New("expected SOURCE[.READ] and KEY, or SOURCE[.READ] --all")
	}
	var read bool
	i.Source, i.Read, read = strings.Cut(args[0], ".")
	if i.Source == "" || read && i.Read == "" {
		return i, fmt.Errorf("%.80q: expected SOURCE or SOURCE.READ, such as catalogue or catalogue.film", args[0])
	}
	switch {
	case all:
		i.All = true
	case args[1] == "":
		return i, errors.New("expected a KEY that is not empty; --all drops all there are")
	case prefix:
		i.Prefix = args[1]
	default:
		i.Key = args[1]
	}
	return i, nil
}

func (s *settings) invalidate(ctx context.Context, client admin.Client, at string, i warm.Invalidation) error {
	ctx, cancel := context.WithTimeout(ctx, adminPatience)
	defer cancel()
	result, err := client.Invalidate(ctx, at, i)
	if err != nil && !errors.Is(err, admin.ErrNotTold) {
		return err
	}
	entries := "entries"
	if result.Dropped == 1 {
		entries = "entry"
	}
	dropped := fmt.Sprintf("dropped %d %s at this edge (%v)", result.Dropped, entries, i)
	if err != nil {
		return fmt.Errorf("%s, but %w", dropped, err)
	}
	bus := "the bus was told"
	if result.Bus == admin.NoBus {
		bus = "there is no bus, so no other edge was told"
	}
	_, err = fmt.Fprintf(s.stdout, "%s; %s\n", dropped, bus)
	return err
}
