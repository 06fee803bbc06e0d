package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"warmline.dev/edgelayer/source"
	"warmline.dev/nodelayer/gateway"
	"warmline.dev/passport/revocation"
)

// DefaultGateway is where a gateway's port is, unless it is told otherwise.
const DefaultGateway = "127.0.0.1:7072"

// Gateway is what the port of a gateway shows. Its functions are called at each scrape,
// by many at once. Of those that are nil nothing is said.
type Gateway struct {
	// Stats gives the gateway's own figures. Required.
	Stats func() gateway.Stats
	// Identity gives how many requests were decided how, and how often the account
	// source was asked, as identity.Door.Stats does.
	Identity func() map[string]uint64
	// Sources gives those of the account source, by its name.
	Sources func() map[string]source.Stats
	// Revocation gives those of the set that cookies are held against.
	Revocation func() revocation.Stats
	// Bus says whether the bus is there, and since when it is or is not; the zero
	// time: since the start.
	Bus func() (connected bool, since time.Time)
}

// StartGateway listens and serves as the port of a gateway, or says why it can't. ctx
// bounds the listening alone. The port is not ready until [Server.Ready]. The caller
// ends it with Shutdown.
func StartGateway(ctx context.Context, cfg Config, g Gateway) (*Server, error) {
	if cfg.Address == "" {
		cfg.Address = DefaultGateway
	}
	if g.Stats == nil {
		return nil, errors.New("admin: expected a Gateway with Stats")
	}
	return start(ctx, cfg, tier{name: "gateway", figures: gatewayCollector{g, busFigures{g.Bus, time.Now()}}})
}

func gatewayFigure(kind prometheus.ValueType, name, help string, value func(gateway.Stats) float64) figure[gateway.Stats] {
	return figure[gateway.Stats]{prometheus.NewDesc("warmline_gateway_"+name, help, nil, nil), kind, value}
}

var gatewayFigures = []figure[gateway.Stats]{
	gatewayFigure(prometheus.GaugeValue, "lines", "Lines of adapters that are open.", func(s gateway.Stats) float64 { return float64(s.Lines) }),
	gatewayFigure(prometheus.GaugeValue, "adapters", "Versions of apps that take requests.", func(s gateway.Stats) float64 { return float64(s.Adapters) }),
	gatewayFigure(prometheus.CounterValue, "unauthenticated_total", "Lines refused because they are no peer's.", func(s gateway.Stats) float64 { return float64(s.Peers.Unauthenticated) }),
	gatewayFigure(prometheus.CounterValue, "forbidden_total", "Lines refused because of what their peer may not offer.", func(s gateway.Stats) float64 { return float64(s.Peers.Forbidden) }),
}

var (
	gatewayRequests = prometheus.NewDesc("warmline_gateway_requests_total", "Device requests that were answered, by kind of device and class of status.", []string{"device", "status"}, nil)
	gatewayTook     = prometheus.NewDesc("warmline_gateway_request_seconds", "Time that device requests took.", nil, nil)

	identityRequests = prometheus.NewDesc("warmline_identity_requests_total", "Device requests, by how it was decided whom they are for.", []string{"outcome"}, nil)
	identityAsked    = prometheus.NewDesc("warmline_identity_asked_total", "Questions to the account source.", nil, nil)
)

// gatewayCollector collects what the gateway has counted itself.
type gatewayCollector struct {
	Gateway
	bus busFigures
}

// Describe implements prometheus.Collector.
func (g gatewayCollector) Describe(to chan<- *prometheus.Desc) {
	for _, f := range gatewayFigures {
		to <- f.desc
	}
	to <- gatewayRequests
	to <- gatewayTook
	to <- identityRequests
	to <- identityAsked
	for _, f := range sourceFigures {
		to <- f.desc
	}
	for _, f := range revocationFigures {
		to <- f.desc
	}
	for _, f := range deviceFigures {
		to <- f.desc
	}
	g.bus.describe(to)
}

// Collect implements prometheus.Collector.
func (g gatewayCollector) Collect(to chan<- prometheus.Metric) {
	s := g.Stats()
	collectAll(to, gatewayFigures, s)
	for _, r := range s.Requests {
		for class := 2; class < len(r.Status); class++ {
			m, err := prometheus.NewConstMetric(gatewayRequests, prometheus.CounterValue, float64(r.Status[class]), r.Device.String(), fmt.Sprintf("%dxx", class))
			to <- orInvalid(gatewayRequests, m, err)
		}
	}
	to <- tookOf(s.Took)
	collectAll(to, deviceFigures, s.Devices)
	if g.Identity != nil {
		for outcome, n := range g.Identity() {
			desc, labels := identityRequests, []string{outcome}
			if outcome == "asked" { // no outcome of a request
				desc, labels = identityAsked, nil
			}
			m, err := prometheus.NewConstMetric(desc, prometheus.CounterValue, float64(n), labels...)
			to <- orInvalid(desc, m, err)
		}
	}
	if g.Sources != nil {
		for name, src := range g.Sources() {
			for _, f := range sourceFigures {
				to <- f.of(src, name)
			}
		}
	}
	if g.Revocation != nil {
		collectAll(to, revocationFigures, g.Revocation())
	}
	g.bus.collect(to)
}

func tookOf(t gateway.Times) prometheus.Metric {
	within := map[float64]uint64{}
	for i, bound := range gateway.Bounds() {
		if i < len(t.Within) {
			within[bound.Seconds()] = t.Within[i]
		}
	}
	m, err := prometheus.NewConstHistogram(gatewayTook, t.Count, t.Sum.Seconds(), within)
	return orInvalid(gatewayTook, m, err)
}
