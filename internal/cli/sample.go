package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"warmline.dev/internal/bus"
	"warmline.dev/internal/revocations"
	"warmline.dev/internal/sample"
)

// samplePort is where the sample services are expected, one port each from here.
const samplePort = 9101

func sampleCommand(s *settings) *cobra.Command {
	var cfg sample.Config
	var at string
	cmd := &cobra.Command{
		Use:   "sample",
		Short: "Run the sample mid-tier services: profiles, members, recommendations, catalogue, ratings, accounts",
		Long: `Runs six HTTP/JSON services on consecutive ports, for an edge to stand in front of.

Each can be told to misbehave, to see what becomes of the page:
  curl -X PUT http://127.0.0.1:9105/_sample -d '{"mode":"hang"}'     (or "fail", "half" for every second, "garbage", "huge"; "ok" again)
  curl http://127.0.0.1:9105/_sample                                 (what it does, and how often it was asked)

Accounts have sessions, for whoever signs in; the password is everybody's:
  curl http://127.0.0.1:9106/sign-in -d '{"email":"paul@example.com","password":"popcorn"}'
  curl http://127.0.0.1:9106/sign-out-all -d '{"customer":"c-1001"}'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := s.begin(cmd)
			if err != nil {
				return err
			}
			end := func() {}
			if at != "" {
				if end, err = tellAccounts(&cfg, at, log); err != nil {
					return err
				}
			}
			defer end()
			services, err := sample.Start(cfg)
			if err != nil {
				return err
			}
			for _, name := range sample.Names() {
				fmt.Fprintf(s.stdout, "%s at %s\n", name, services.URL(name))
			}
			return s.untilDone(cmd.Context(), sampleTier(services, end))
		},
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Host, "host", "127.0.0.1", "address to listen at")
	f.IntVar(&cfg.BasePort, "base-port", samplePort, "first of six consecutive ports; 0: free ones")
	f.StringVar(&at, "bus", "", "where accounts tells which of them has changed, for warmline revocation: nats://HOST:PORT[,…]")
	f.DurationVar(&cfg.Latency, "latency", 4*time.Millisecond, "median answer time; negative: none")
	return cmd
}

// tellAccounts has changes of accounts told on a bus, until end is called.
func tellAccounts(cfg *sample.Config, url string, log zerolog.Logger) (end func(), err error) {
	b, err := bus.Open(bus.Config{URL: url, Name: "accounts", Log: log})
	if err != nil {
		return func() {}, usageError{err}
	}
	endTelling, err := tellOn(cfg, b, log)
	if err != nil {
		b.Close()
		return func() {}, err
	}
	return func() {
		endTelling()
		b.Close()
	}, nil
}

// tellOn is tellAccounts on a bus that is there.
func tellOn(cfg *sample.Config, b *bus.Bus, log zerolog.Logger) (end func(), err error) {
	teller, err := revocations.NewTeller(b)
	if err != nil {
		return nil, err
	}
	cfg.OnAccount = func(e sample.Event) {
		if err := teller.Tell(e); err != nil {
			log.Error().Err(err).Msg("an account event is not told")
		}
	}
	return teller.Close, nil
}

// sampleTier has telling end when its time to stop is over, at the latest: who signs out
// may wait for a bus that is not there.
func sampleTier(services *sample.Services, endTelling func()) *tier {
	return &tier{name: "sample", stop: func(ctx context.Context) error {
		defer context.AfterFunc(ctx, endTelling)()
		return services.Shutdown(ctx)
	}}
}
