package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"warmline.dev/internal/admin"
	"warmline.dev/internal/bus"
	"warmline.dev/internal/credentials"
	"warmline.dev/internal/edge"
	"warmline.dev/internal/revocations"
	"warmline.dev/internal/sample"
	"warmline.dev/passport"
	"warmline.dev/passport/revocation"
)

// Where dev's edge and gateway are, unless told otherwise: at the usual ports, with TLS.
const (
	devEdge  = "tls://127.0.0.1:7070"
	devLines = "tls://127.0.0.1:7080"
)

type devOptions struct {
	edge    edgeOptions
	gateway gatewayOptions
	latency time.Duration
	trust   time.Duration
	keys    string
}

func devCommand(s *settings) *cobra.Command {
	var o devOptions
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run every tier in this process, over real sockets, to try Warmline",
		Long: `Starts the sample services, an edge, a node with the adapter tv and a gateway in
one process, talking over loopback as they would between machines: with TLS and
client certificates, made for this run. Then:

  curl 'http://127.0.0.1:8080/tv@^1/home?profile=paul'
  curl 'http://127.0.0.1:8080/tv/home?profile=ada'
  curl -c cookies 'http://127.0.0.1:8080/tv/sign-in' -d '{"email":"paul@example.com","password":"popcorn"}'
  curl -b cookies 'http://127.0.0.1:8080/tv/me'
  warmline call edge.stats

Tools of the same user find what they need to dial it (a token, and whose certificate to
trust) in a folder that is named at the start, and gone at the end.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := s.begin(cmd)
			if err != nil {
				return err
			}
			return s.dev(cmd.Context(), o, log)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.gateway.http, "http", defaultHTTP, "address for devices; port 0 takes a free one")
	f.StringVar(&o.gateway.listen, "lines", devLines, "address for adapters: tls, tcp, unix, ws or wss, on loopback; port 0 takes a free one")
	f.StringVar(&o.edge.listen, "edge", devEdge, "address of the edge: tls, tcp, unix, ws or wss, on loopback; port 0 takes a free one")
	f.DurationVar(&o.gateway.budget, "budget", 2*time.Second, "time for one device request")
	f.StringVar(&o.edge.config, "config", "", configHelp)
	f.StringVar(&o.edge.admin, "admin", defaultAdmin, "the edge's "+adminHelp)
	f.StringVar(&o.gateway.admin, "gateway-admin", admin.DefaultGateway, "the gateway's "+gatewayAdminHelp)
	f.DurationVar(&o.latency, "latency", 4*time.Millisecond, "median answer time of the sample services; negative: none")
	f.DurationVar(&o.trust, "cookie-trust", defaultTrust, trustHelp)
	f.StringVar(&o.keys, "passport-keys", "", keysHelp+"; without, one is made for this run")
	return cmd
}

func (s *settings) dev(ctx context.Context, o devOptions, log zerolog.Logger) error {
	keys, err := devKeys(o.keys)
	if err != nil {
		return err
	}
	// The account service tells on a bus in this process whose account changes, and the
	// gateway goes by that.
	b, err := bus.Open(bus.Config{Name: "dev", Log: log})
	if err != nil {
		return err
	}
	published, err := revocations.Publish(b, keys, revocation.WindowConfig{}, log)
	if err != nil {
		b.Close()
		return err
	}
	cfg := sample.Config{Latency: o.latency}
	endTelling, err := tellOn(&cfg, b, log)
	if err != nil {
		return errors.Join(err, s.stopAll(publisherTier(b, published)))
	}
	defer endTelling()
	services, err := sample.Start(cfg)
	if err != nil {
		return errors.Join(err, s.stopAll(publisherTier(b, published)))
	}
	o.gateway.door = doorOptions{
		accounts: services.URL("accounts"), insecure: true, believe: true, trust: o.trust, honour: defaultHonour, heard: heardOptions{stale: defaultStale},
	}
	o.gateway.bus.shared = b
	proofs := newDevProofs()
	defer proofs.forget()
	tiers, err := s.startDev(ctx, o, proofs, services, sampleTier(services, endTelling), keys, log)
	tiers = append(tiers, publisherTier(b, published))
	if err != nil {
		err = errors.Join(err, s.stopAll(tiers...))
		if ctx.Err() != nil {
			return nil // it was told to stop while it started
		}
		return err
	}
	return s.untilDone(ctx, tiers...)
}

// startDev starts what stands in front of the samples. The tiers it returns,
// also with an error, are to be stopped in that order: what is nearest to the
// device first.
func (s *settings) startDev(ctx context.Context, o devOptions, proofs *devProofs, services *sample.Services, ofSample *tier, keys []passport.Key, log zerolog.Logger) ([]*tier, error) {
	tiers := []*tier{ofSample}
	o.edge.sources = map[string]string{}
	for _, name := range sample.Names() {
		o.edge.sources[name] = services.URL(name)
	}
	held, err := credentials.NewKeys(keys...)
	if err != nil {
		return tiers, err
	}
	ofEdge, err := proofs.of()
	if err != nil {
		return tiers, err
	}
	ofGateway, err := proofs.of() // of its own: each counts those whom it refuses
	if err != nil {
		return tiers, err
	}
	edgeTier, e, err := startEdge(ctx, o.edge, ofEdge, held.Ring(), log)
	if err != nil {
		return tiers, err
	}
	edgeAt := e.Address()
	tiers = append([]*tier{edgeTier}, tiers...)
	gateway, at, err := startGateway(ctx, o.gateway, ofGateway, held, log)
	if err != nil {
		return tiers, err
	}
	tiers = append(gateway, tiers...)
	node, err := s.startNode(ctx, nodeOptions{edges: []string{edgeAt}, gateways: []string{at.lines}, credentials: proofs.credentials()}, log)
	if err != nil {
		return tiers, err
	}
	s.announce(services, e, at, proofs.leaveAll(e, at, log))
	web := tiers[0]
	return append(append([]*tier{web}, node...), tiers[1:]...), nil
}

func devKeys(path string) ([]passport.Key, error) {
	if path == "" {
		return []passport.Key{passport.NewKey("dev")}, nil
	}
	return readKeys(path)
}

// announce says what runs and what to try.
func (s *settings) announce(services *sample.Services, e *edge.Edge, at gatewayAt, folder string) {
	edgeAt := e.Address()
	p := func(format string, args ...any) { fmt.Fprintf(s.stdout, format+"\n", args...) }
	p("gateway at http://%s, lines at %s", at.http, at.lines)
	s.announceEdge(e)
	if at.admin != "" {
		p("gateway's admin at %s", at.admin)
	}
	for _, name := range sample.Names() {
		p("%s at %s", name, services.URL(name))
	}
	if folder != "" {
		p("credentials of tools in %s", folder)
	}
	p("")
	p("Try:  curl 'http://%s/tv@^1/home?profile=paul'", at.http)
	p("      curl 'http://%s/tv/home?profile=ada'", at.http)
	p("      curl -c cookies http://%s/tv/sign-in -d '{\"email\":\"paul@example.com\",\"password\":\"%s\"}'    (then with -b cookies: /tv/me, /tv/home)", at.http, sample.Password)
	p("      go run ./cmd/warmline call edge.stats%s", edgeFlag(edgeAt))
	if admin := e.Admin(); admin != "" {
		p("      go run ./cmd/warmline cache invalidate catalogue 17%s", adminFlag(admin))
	}
	if at.admin != "" {
		p("      curl %s/metrics", at.admin)
	}
	p("      curl -X PUT %s/_sample -d '{\"mode\":\"hang\"}'    (then ask for a page of another profile)", services.URL("ratings"))
	p("Ctrl-C ends it.")
}

func edgeFlag(address string) string {
	if address == devEdge {
		return ""
	}
	return " --edge " + address
}

func adminFlag(address string) string {
	if address == "http://"+defaultAdmin {
		return ""
	}
	return " --admin " + address
}
