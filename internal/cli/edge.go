package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"warmline.dev/edgelayer"
	"warmline.dev/internal/sample"
	"warmline.dev/internal/sample/service"
	"warmline.dev/passport"
)

const (
	defaultEdge  = "tcp://127.0.0.1:7070"
	defaultLines = "tcp://127.0.0.1:7080"
	defaultHTTP  = "127.0.0.1:8080"
)

type edgeOptions struct {
	listen  string
	sources map[string]string
	timeout time.Duration
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
	f.StringToStringVar(&o.sources, "source", defaultSources(), "where the mid-tier services are, NAME=URL, or NAME='URL URL' where several stand for each other; may be given again")
	f.DurationVar(&o.timeout, "source-timeout", 400*time.Millisecond, "how long one request to a source may take")
	f.StringVar(&keys, "passport-keys", "", keysHelp)
	return cmd
}

func defaultSources() map[string]string {
	m := map[string]string{}
	for i, name := range sample.Names() {
		m[name] = fmt.Sprintf("http://127.0.0.1:%d", samplePort+i)
	}
	return m
}

// startEdge returns when the edge listens, with the address that it got.
func startEdge(ctx context.Context, o edgeOptions, keys *passport.Keyring, log zerolog.Logger) (*tier, string, error) {
	urls := defaultSources()
	for name, u := range o.sources {
		if _, ok := urls[name]; !ok {
			return nil, "", usageError{fmt.Errorf("--source %s: there is no such source, only %s", name, strings.Join(slices.Sorted(maps.Keys(urls)), ", "))}
		}
		urls[name] = u
	}
	log = log.With().Str("tier", "edge").Logger()
	services, err := service.New(service.Config{URLs: urls, Timeout: o.timeout, Log: log})
	if err != nil {
		return nil, "", usageError{err}
	}
	srv, err := edgelayer.New(edgelayer.Config{
		Name: "edge", Version: version, Keys: keys, Log: log,
		Services: services.Services, Caches: services.Caches, Sources: services.Sources,
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
