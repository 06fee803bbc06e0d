package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"warmline.dev/edgelayer/source"
	"warmline.dev/internal/admin"
	"warmline.dev/nodelayer/gateway"
)

const (
	adminHelp        = `address for operators: metrics, readiness, invalidation; port 0 takes a free one; "off": none`
	gatewayAdminHelp = `address for operators: metrics, readiness; port 0 takes a free one; "off": none`
	adminTLSHelp     = "; https://HOST:PORT speaks TLS"
)

// adminAddress is what --admin says: HOST:PORT, "" for none, and what to speak there.
func adminAddress(at string, p proof) (string, *tls.Config, error) {
	if at == "off" {
		return "", nil, nil
	}
	at, https := strings.CutPrefix(at, "https://")
	if !https {
		return at, nil, nil
	}
	if p.server == nil {
		return "", nil, usageError{errors.New("--admin https://…: there is no certificate to show: give --tls-cert and --tls-key")}
	}
	return at, p.server, nil
}

// hearing is how long a gateway waits for what the bus tells before it says that it is
// ready: until then it would ask the account source about everyone, or refuse them.
const hearing = 10 * time.Second

// gatewayAdmin is the port of a gateway for operators; nil: there is none.
type gatewayAdmin struct {
	*admin.Server
	log   zerolog.Logger
	heard func() bool // nil: there is nothing to wait for

	end   context.CancelFunc
	ended chan struct{}
}

// startGatewayAdmin starts a port that is not ready yet. The door may be nil.
func startGatewayAdmin(ctx context.Context, cfg admin.Config, gw *gateway.Server, d *door) (*gatewayAdmin, error) {
	if cfg.Address == "" {
		return nil, nil
	}
	shown := admin.Gateway{Stats: gw.Stats}
	a := &gatewayAdmin{log: cfg.Log, end: func() {}}
	if d != nil {
		shown.Identity = d.Stats
		shown.Sources = func() map[string]source.Stats { return map[string]source.Stats{"accounts": d.accounts.Stats()} }
	}
	if d != nil && d.heard != nil {
		a.heard = d.heard.Complete
		shown.Revocation = d.heard.Stats
		shown.Bus = func() (bool, time.Time) {
			s := d.heard.Bus()
			return s.Connected, s.Since
		}
	}
	var err error
	a.Server, err = admin.StartGateway(ctx, cfg, shown)
	return a, err
}

func (a *gatewayAdmin) url() string {
	if a == nil {
		return ""
	}
	return a.URL()
}

// listening says that devices and adapters can come: it is ready when it has heard whose
// account has changed, or has waited long enough for that.
func (a *gatewayAdmin) listening() {
	if a == nil {
		return
	}
	if a.heard == nil {
		a.Ready()
		return
	}
	a.NotReady("waiting to hear on the bus whose account has changed")
	var ctx context.Context
	ctx, a.end = context.WithTimeout(context.Background(), hearing)
	a.ended = make(chan struct{})
	go func() {
		defer close(a.ended)
		hear(ctx, a.heard, a.Ready, a.log)
	}()
}

// hear says that a gateway is ready when it has heard enough, or ctx has run out; not if
// it is stopped.
func hear(ctx context.Context, heard func() bool, ready func(), log zerolog.Logger) {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	began := time.Now()
	for !heard() {
		select {
		case <-look.C:
			continue
		case <-ctx.Done():
		}
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			log.Warn().Dur("waited", time.Since(began)).Msg("ready, though it is not known whose account has changed: no publisher was heard on the bus")
			ready()
		}
		return
	}
	log.Info().Dur("waited", time.Since(began)).Msg("ready: it is known whose account has changed")
	ready()
}

// stopping is not ready any more.
func (a *gatewayAdmin) stopping() {
	if a != nil {
		a.Stopping()
	}
}

// shutdown ends it. Who still scrapes when ctx ends is cut off.
func (a *gatewayAdmin) shutdown(ctx context.Context) {
	if a == nil {
		return
	}
	a.end()
	if a.ended != nil {
		<-a.ended
	}
	_ = a.Shutdown(ctx)
}
