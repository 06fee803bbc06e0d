package cli

import (
	"context"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"warmline.dev/internal/admin"
	"warmline.dev/internal/credentials"
	"warmline.dev/nodelayer/gateway"
)

type gatewayOptions struct {
	http    string
	listen  string
	admin   string
	budget  time.Duration
	door    doorOptions
	devices deviceOptions
	bus     busOptions
}

func gatewayCommand(s *settings) *cobra.Command {
	var o gatewayOptions
	var files credentials.Files
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Run a gateway: HTTP for devices in front, lines of adapters behind",
		Args:  cobra.NoArgs,
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
			tiers, at, err := startGateway(cmd.Context(), o, p, creds.Keys(), log)
			if err != nil {
				_ = kept.stop(cmd.Context()) // it never fails
				return err
			}
			fmt.Fprintf(s.stdout, "gateway at http://%s, lines at %s\n", at.http, at.lines)
			if at.admin != "" {
				fmt.Fprintf(s.stdout, "admin at %s\n", at.admin)
			}
			return s.untilDone(cmd.Context(), append(tiers, kept)...)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.http, "http", defaultHTTP, "address for devices; port 0 takes a free one")
	f.StringVar(&o.listen, "listen", defaultLines, listenHelp)
	f.StringVar(&o.admin, "admin", admin.DefaultGateway, gatewayAdminHelp+adminTLSHelp)
	f.DurationVar(&o.budget, "budget", 2*time.Second, "time for one device request")
	addPassports(f, &files)
	o.door.addFlags(f)
	o.bus.addFlags(f)
	o.devices.addFlags(f)
	addListening(f, &files)
	return cmd
}

// gatewayAt is where a gateway has come to listen; admin is a URL, "" if there is none.
type gatewayAt struct{ http, lines, admin string }

// startGateway returns when the gateway listens. The tiers are to be stopped in
// the order in which they are returned: no device waits for an adapter that has gone.
func startGateway(ctx context.Context, o gatewayOptions, p proof, keys *credentials.Keys, log zerolog.Logger) (_ []*tier, _ gatewayAt, err error) {
	log = log.With().Str("tier", "gateway").Logger()
	b, closeBus, err := o.bus.open(log)
	if err != nil {
		return nil, gatewayAt{}, err
	}
	behind := []func(){closeBus} // what is closed when no request needs it any more, the last one first
	closeBehind := func() {
		for _, end := range slices.Backward(behind) {
			end()
		}
	}
	defer func() {
		if err != nil {
			closeBehind()
		}
	}()
	kinds, closeKinds, err := o.devices.follow(b, keys, log)
	if err != nil {
		return nil, gatewayAt{}, err
	}
	behind = append(behind, closeKinds)
	cfg := gateway.Config{Name: "gateway", Version: version, Keys: keys.Ring(), Mint: mintFromQuery, Devices: kinds, Budget: o.budget, Peers: p.known, Log: log}
	d, err := o.door.open(b, keys, log)
	if err != nil {
		return nil, gatewayAt{}, err
	}
	if d != nil {
		cfg.Mint, cfg.OnPassport = d.Mint, d.OnPassport
		behind = append(behind, d.Close)
	}
	gw, err := gateway.New(cfg)
	if err != nil {
		return nil, gatewayAt{}, usageError{err}
	}
	if _, err := checkListen(o.listen, p); err != nil {
		return nil, gatewayAt{}, err
	}
	adminAt, adminTLS, err := adminAddress(o.admin, p)
	if err != nil {
		return nil, gatewayAt{}, err
	}
	warnOf(o.listen, p, log)
	p.told(gw.PeersChanged)
	lines, address, err := listen(ctx, o.listen, p)
	if err != nil {
		return nil, gatewayAt{}, fmt.Errorf("gateway: %w", err)
	}
	devices, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.http)
	if err != nil {
		_ = lines.Close() // nothing was accepted from it
		return nil, gatewayAt{}, fmt.Errorf("gateway: %w", err)
	}
	operators, err := startGatewayAdmin(ctx, admin.Config{Address: adminAt, TLS: adminTLS, Log: log}, gw, d)
	if err != nil {
		_, _ = lines.Close(), devices.Close() // nothing was accepted from them
		return nil, gatewayAt{}, fmt.Errorf("gateway: %w", err)
	}
	web := newHTTPServer(gw, o.budget, log)
	tiers := []*tier{
		{
			name:   "gateway HTTP",
			failed: serve(func() error { return web.Serve(devices) }, http.ErrServerClosed),
			stop: func(ctx context.Context) error {
				operators.stopping()
				err := web.Shutdown(ctx)
				return errors.Join(err, web.Close()) // Shutdown leaves open what did not finish
			},
		},
		{
			name:   "gateway lines",
			failed: serve(func() error { return gw.ServeLines(lines) }, gateway.ErrServerClosed),
			stop: func(ctx context.Context) error {
				defer closeBehind()
				defer operators.shutdown(ctx)
				return gw.Shutdown(ctx)
			},
		},
	}
	operators.listening()
	return tiers, gatewayAt{devices.Addr().String(), address, operators.url()}, nil
}

// newHTTPServer is for devices, which may be slow: to ask, and to take what they asked for.
func newHTTPServer(h http.Handler, budget time.Duration, log zerolog.Logger) *http.Server {
	const asking, taking = 15 * time.Second, 45 * time.Second
	var both http.Protocols
	both.SetHTTP1(true)
	both.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler: h, Protocols: &both,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: asking, WriteTimeout: asking + budget + taking, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10,
		ErrorLog:       stdlog.New(log.With().Str("level", "debug").Logger(), "", 0),
	}
}
