package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/declare"
	"warmline.dev/edgelayer/source"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/examples"
	"warmline.dev/passport"
)

const (
	defaultEdge  = "tcp://127.0.0.1:7070"
	defaultLines = "tcp://127.0.0.1:7080"
	defaultHTTP  = "127.0.0.1:8080"
)

const configHelp = "file that declares sources and services (default: examples/edge.yaml, for the samples)"

type edgeOptions struct {
	listen  string
	config  string
	sources map[string]string
}

func edgeCommand(s *settings) *cobra.Command {
	var o edgeOptions
	var keys string
	cmd := &cobra.Command{
		Use:   "edge",
		Short: "Run an edge: services in front of the mid-tier, behind warm caches and breakers",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := s.begin(cmd)
			if err != nil {
				return err
			}
			ring, err := loadKeys(keys)
			if err != nil {
				return err
			}
			t, address, err := startEdge(cmd.Context(), o, ring, log)
			if err != nil {
				return err
			}
			fmt.Fprintf(s.stdout, "edge at %s\n", address)
			return s.untilDone(cmd.Context(), t)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", defaultEdge, "address for adapters: tcp, unix or ws; port 0 takes a free one")
	f.StringToStringVar(&o.sources, "source", nil, "where a source is, instead of what the file says, NAME=URL, or NAME='URL URL' where several stand for each other; may be given again")
	f.StringVar(&o.config, "config", "", configHelp)
	f.StringVar(&keys, "passport-keys", "", keysHelp)
	return cmd
}

// declaration reads what the edge is to be.
func (o edgeOptions) declaration() (*declare.Declaration, error) {
	name, text := "edge.yaml", examples.Edge
	if o.config != "" {
		var err error
		if text, err = os.ReadFile(o.config); err != nil {
			return nil, fmt.Errorf("declaration: %w", err)
		}
		name = o.config
	}
	d, err := declare.Parse(name, text)
	if mistakes, ok := errors.AsType[declare.Mistakes](err); ok {
		return nil, usageError{fmt.Errorf("%d mistakes in the declaration, nothing is started:\n%w", len(mistakes), err)}
	}
	for source, at := range o.sources {
		if err := d.SetURL(source, strings.Fields(at)...); err != nil {
			return nil, usageError{fmt.Errorf("--source: %w", err)}
		}
	}
	return d, nil
}

func figuresOf(t *declare.Tier) (map[string]warm.Stats, map[string]source.Stats) {
	caches, sources := map[string]warm.Stats{}, map[string]source.Stats{}
	for _, c := range t.Caches() {
		caches[c.Source()+"."+c.Name()] = c.Stats()
	}
	for _, s := range t.Sources() {
		sources[s.Name()] = s.Stats()
	}
	return caches, sources
}

// startEdge returns when the edge listens, with the address that it got.
func startEdge(ctx context.Context, o edgeOptions, keys *passport.Keyring, log zerolog.Logger) (*tier, string, error) {
	declaration, err := o.declaration()
	if err != nil {
		return nil, "", err
	}
	log = log.With().Str("tier", "edge").Logger()
	services, err := declare.New(declaration, declare.Config{Log: log})
	if err != nil {
		return nil, "", err
	}
	srv, err := edgelayer.New(edgelayer.Config{
		Name: "edge", Version: version, Keys: keys, Log: log, Services: services.Services(),
		Figures: func() (map[string]warm.Stats, map[string]source.Stats) { return figuresOf(services) },
	})
	if err != nil {
		services.Close()
		return nil, "", err
	}
	l, address, err := listen(ctx, o.listen)
	if err != nil {
		services.Close()
		return nil, "", fmt.Errorf("edge: %w", err)
	}
	return &tier{
		name:   "edge",
		failed: serve(func() error { return srv.Serve(l) }, edgelayer.ErrServerClosed),
		stop: func(ctx context.Context) error {
			defer services.Close()
			return srv.Shutdown(ctx)
		},
	}, address, nil
}
