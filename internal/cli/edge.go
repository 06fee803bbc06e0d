package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"warmline.dev/examples"
	"warmline.dev/internal/credentials"
	"warmline.dev/internal/edge"
	"warmline.dev/passport"
)

const (
	defaultEdge  = "tcp://127.0.0.1:7070"
	defaultLines = "tcp://127.0.0.1:7080"
	defaultHTTP  = "127.0.0.1:8080"
)

type edgeOptions struct {
	listen  string
	admin   string
	config  string
	sources map[string]string
	bus     string
	peers   []string
	warmUp  time.Duration
	hotKeys string
	calls   int
}

func edgeCommand(s *settings) *cobra.Command {
	var o edgeOptions
	var files credentials.Files
	cmd := &cobra.Command{
		Use:   "edge",
		Short: "Run an edge: services in front of the mid-tier, behind warm caches and breakers",
		Long: `Runs an edge with the sources and services that a file declares. Without one it is
that of the samples, examples/edge.yaml. The file is read again when it changes, and
on SIGHUP: with a mistake in it everything stays as it is.

  warmline edge --config examples/edge.yaml
  warmline edge --config edge.yaml --source catalogue=http://10.0.0.7:9104
  warmline edge --peer tcp://10.0.0.8:7070      starts warm, with what that one holds
  warmline edge --bus nats://10.0.0.9:4222      hears of changes from there
  warmline edge --listen tls://0.0.0.0:7070 --tls-cert edge.pem --tls-key edge.key --tls-ca ca.pem --peers peers.yaml
                                                for other machines; see warmline peer token --help`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := s.begin(cmd)
			if err != nil {
				return err
			}
			if files.Passports == "" {
				return errNoKeys
			}
			creds, p, err := openCredentials(files, log)
			if err != nil {
				return err
			}
			kept := keepCredentials(creds)
			t, e, err := startEdge(cmd.Context(), o, p, creds.Keys().Ring(), log)
			if err != nil {
				_ = kept.stop(cmd.Context()) // it never fails
				if cmd.Context().Err() != nil {
					return nil // it was told to stop while it started
				}
				return err
			}
			s.announceEdge(e)
			return s.untilDone(cmd.Context(), t, kept)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", configHelp)
	f.StringVar(&o.listen, "listen", defaultEdge, listenHelp)
	f.StringVar(&o.admin, "admin", defaultAdmin, adminHelp+adminTLSHelp)
	f.StringToStringVar(&o.sources, "source", nil, "where a source is, instead of what the file says, NAME=URL, or NAME='URL URL' where several stand for each other; may be given again")
	f.StringVar(&o.bus, "bus", "embedded", "where changes are told: embedded (in this process), embedded://127.0.0.1:7422 (others on this machine can join), or nats://HOST:PORT[,…]")
	f.StringSliceVar(&o.peers, "peer", nil, "another edge, to take over from at the start and to hand over to at the end; may be given again; dns+tcp://NAME:PORT is all that the name stands for")
	f.DurationVar(&o.warmUp, "warm-up", 10*time.Second, "how long it may take to get warm before it is ready; negative: it starts cold")
	f.StringVar(&o.hotKeys, "hot-keys", "", "file that keeps which keys are hot, to load them after a start without another edge")
	f.IntVar(&o.calls, "max-calls", 0, "most calls that may run at once; 0: 10,000; the limit itself is measured, below that; negative: no limit")
	addPassports(f, &files)
	addListening(f, &files)
	addDialling(f, &files)
	return cmd
}

const listenHelp = "address for adapters: tcp, tls, unix, ws or wss; port 0 takes a free one; one that other machines reach needs --peers"

const configHelp = "file that declares sources and services (default: examples/edge.yaml, for the samples)"

// startEdge returns when the edge is ready.
func startEdge(ctx context.Context, o edgeOptions, p proof, keys *passport.Keyring, log zerolog.Logger) (*tier, *edge.Edge, error) {
	if _, err := checkListen(o.listen, p); err != nil { // it would show when the edge is warm
		return nil, nil, err
	}
	adminAt, adminTLS, err := adminAddress(o.admin, p)
	if err != nil {
		return nil, nil, err
	}
	log = log.With().Str("tier", "edge").Logger()
	warnOf(o.listen, p, log)
	e, err := edge.Start(ctx, edge.Config{
		Version: version, File: o.config, Text: examples.Edge, URLs: o.sources,
		Listen: func(ctx context.Context) (net.Listener, string, error) { return listen(ctx, o.listen, p) },
		Known:  p.known, Credentials: p.node,
		Admin: adminAt, AdminTLS: adminTLS, Bus: o.bus, Peers: o.peers, WarmUp: o.warmUp, HotKeys: o.hotKeys, MaxAtOnce: o.calls,
		Keys: keys, Log: log,
	})
	if _, ok := errors.AsType[edge.ConfigError](err); ok {
		return nil, nil, usageError{err}
	}
	if err != nil {
		return nil, nil, notStarted("declaration", err)
	}
	p.told(e.PeersChanged)
	e.PeersChanged() // while it started
	hangUp := make(chan os.Signal, 1)
	signal.Notify(hangUp, syscall.SIGHUP)
	go func() {
		for range hangUp {
			e.Reload()
		}
	}()
	return &tier{name: "edge", failed: e.Failed(), stop: func(ctx context.Context) error {
		signal.Stop(hangUp)
		close(hangUp)
		return e.Shutdown(ctx)
	}}, e, nil
}

func (s *settings) announceEdge(e *edge.Edge) {
	fmt.Fprintf(s.stdout, "edge at %s\n", e.Address())
	if at := e.Admin(); at != "" {
		fmt.Fprintf(s.stdout, "admin at %s\n", at)
	}
	if at := e.Bus(); at != "" {
		fmt.Fprintf(s.stdout, "bus at %s\n", at)
	}
}
