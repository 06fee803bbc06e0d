package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"warmline.dev/internal/credentials"
	"warmline.dev/internal/sample/tv"
	"warmline.dev/nodelayer"
	"warmline.dev/nodelayer/adapter"
)

type nodeOptions struct {
	edges    []string
	gateways []string
	wants    map[string]string

	credentials nodelayer.Credentials
}

func nodeCommand(s *settings) *cobra.Command {
	var o nodeOptions
	var files credentials.Files
	cmd := &cobra.Command{
		Use:   "node",
		Short: "Run a node: the adapter tv in two versions, 1.3.0 and 2.0.0",
		Long: `Runs two versions of the sample adapter "tv". Each dials the edges and wants
services by semver range, and dials the gateways and offers itself. The order
in which the tiers are started does not matter.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := s.begin(cmd)
			if err != nil {
				return err
			}
			creds, p, err := openCredentials(files, log)
			if err != nil {
				return err
			}
			o.credentials = p.node
			kept := keepCredentials(creds)
			tiers, err := s.startNode(cmd.Context(), o, log)
			if err != nil {
				_ = kept.stop(cmd.Context()) // it never fails
				if cmd.Context().Err() != nil {
					return nil // it was told to stop while it waited
				}
				return err
			}
			for _, v := range tv.Versions() {
				fmt.Fprintf(s.stdout, "adapter %s@%s is offered to %d gateway(s)\n", tv.App, v.Version, len(o.gateways))
			}
			return s.untilDone(cmd.Context(), append(tiers, kept)...)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.edges, "edge", []string{defaultEdge}, "the edges to dial, which take over from one another; may be given again; dns+tcp://NAME:PORT is all that the name stands for")
	f.StringSliceVar(&o.gateways, "gateway", []string{defaultLines}, "the gateways to offer the adapters to; may be given again")
	f.StringToStringVar(&o.wants, "want", nil, "override a range, SERVICE=RANGE; may be given again")
	addDialling(f, &files)
	return cmd
}

// startNode returns when every adapter has its lines. The tiers are to be
// stopped in the order in which they are returned.
func (s *settings) startNode(ctx context.Context, o nodeOptions, log zerolog.Logger) (tiers []*tier, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stopAll(tiers...))
		}
	}()
	var adapters, edges []*tier
	for _, v := range tv.Versions() {
		log := log.With().Str("tier", "node").Str("adapter", tv.App+"@"+v.Version).Logger()
		wants := maps.Clone(v.Wants)
		maps.Copy(wants, o.wants)
		edge, err := nodelayer.Dial(ctx, nodelayer.Config{Edges: o.edges, Name: tv.App, Version: v.Version, Wants: wants, Credentials: o.credentials, Log: log})
		if err != nil {
			return append(adapters, edges...), fmt.Errorf("adapter %s %s: %w", tv.App, v.Version, err)
		}
		edges = append(edges, &tier{name: "node", stop: edge.Shutdown})
		srv, err := adapter.Serve(ctx, adapter.Config{
			Name: tv.App, Version: v.Version, Handler: v.Handler(edge), Gateways: o.gateways, Credentials: o.credentials, Log: log,
		})
		if err != nil {
			return append(adapters, edges...), err
		}
		adapters = append(adapters, &tier{name: "node", stop: srv.Shutdown})
	}
	return append(adapters, edges...), nil
}
