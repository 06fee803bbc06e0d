package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/protocol/peers"
)

// DefaultEdge is where an edge's port is, unless it is told otherwise.
const DefaultEdge = "127.0.0.1:7071"

// Edge is what the port of an edge shows and does. Its functions are called by many at
// once.
type Edge struct {
	// Peers are who may have what is warm dropped, if they operate: who they are is told
	// by a client certificate, or a token as Authorization: Bearer. Default: everybody.
	Peers *peers.Peers
	// Stats gives the edge's figures, at each scrape. Required.
	Stats func() edgelayer.Stats
	// Bus says whether the bus is there, and since when it is or is not; the zero
	// time: since the start. Default: there is no bus, and nothing is said of it.
	Bus func() (connected bool, since time.Time)
	// Invalidate drops what has changed, here and at the other edges. An error says
	// that these have not been told; what the Result says was dropped here
	// nonetheless. It is called for sources that are in Stats, and must return when
	// its context ends. Required.
	Invalidate func(ctx context.Context, i warm.Invalidation) (Result, error)
}

// StartEdge listens and serves as the port of an edge, or says why it can't. ctx bounds
// the listening alone. The port is not ready until [Server.Ready]. The caller ends it
// with Shutdown.
func StartEdge(ctx context.Context, cfg Config, e Edge) (*Server, error) {
	if cfg.Address == "" {
		cfg.Address = DefaultEdge
	}
	if e.Stats == nil || e.Invalidate == nil {
		return nil, errors.New("admin: expected an Edge with Stats and Invalidate")
	}
	i := invalidations{edge: e, log: cfg.Log}
	return start(ctx, cfg, tier{
		name:    "edge",
		figures: edgeCollector{stats: e.Stats, bus: busFigures{e.Bus, time.Now()}},
		routes: []route{{
			"POST /invalidate", `drops what has changed: {"source":"catalogue","key":"17"}`, i.operators(http.HandlerFunc(i.invalidate)),
		}},
	})
}

func edgeFigure(kind prometheus.ValueType, name, help string, value func(edgelayer.Stats) float64) figure[edgelayer.Stats] {
	return figure[edgelayer.Stats]{prometheus.NewDesc("warmline_edge_"+name, help, nil, nil), kind, value}
}

var edgeFigures = []figure[edgelayer.Stats]{
	edgeFigure(prometheus.GaugeValue, "lines", "Lines that are open.", func(s edgelayer.Stats) float64 { return float64(s.Lines) }),
	edgeFigure(prometheus.GaugeValue, "conversations", "Conversations that are open.", func(s edgelayer.Stats) float64 { return float64(s.Conversations) }),
	edgeFigure(prometheus.CounterValue, "calls_total", "Calls.", func(s edgelayer.Stats) float64 { return float64(s.Calls) }),
	edgeFigure(prometheus.CounterValue, "call_failures_total", "Calls that failed.", func(s edgelayer.Stats) float64 { return float64(s.Failures) }),
	edgeFigure(prometheus.CounterValue, "references_total", "References to results of earlier calls that were resolved.", func(s edgelayer.Stats) float64 { return float64(s.References) }),
	edgeFigure(prometheus.CounterValue, "view_hits_total", "Calls that their conversation had asked before.", func(s edgelayer.Stats) float64 { return float64(s.ViewHits) }),
	edgeFigure(prometheus.CounterValue, "refused_total", "Conversations and single calls refused as overloaded.", func(s edgelayer.Stats) float64 { return float64(s.Refused) }),
	edgeFigure(prometheus.CounterValue, "unauthenticated_total", "Lines refused because they are no peer's.", func(s edgelayer.Stats) float64 { return float64(s.Peers.Unauthenticated) }),
	edgeFigure(prometheus.CounterValue, "forbidden_total", "Lines and calls refused because of what their peer may not.", func(s edgelayer.Stats) float64 { return float64(s.Peers.Forbidden) }),
	edgeFigure(prometheus.GaugeValue, "at_once", "Calls that may run at once, as measured; +Inf: no limit.", func(s edgelayer.Stats) float64 { return unlimited(float64(s.AtOnce), 0) }),
}

// edgeCollector collects what the edge has counted itself.
type edgeCollector struct {
	stats func() edgelayer.Stats
	bus   busFigures
}

// Describe implements prometheus.Collector.
func (e edgeCollector) Describe(to chan<- *prometheus.Desc) {
	for _, f := range edgeFigures {
		to <- f.desc
	}
	for _, f := range cacheFigures {
		to <- f.desc
	}
	to <- cacheLoads
	for _, f := range sourceFigures {
		to <- f.desc
	}
	e.bus.describe(to)
}

// Collect implements prometheus.Collector.
func (e edgeCollector) Collect(to chan<- prometheus.Metric) {
	s := e.stats()
	collectAll(to, edgeFigures, s)
	for name, c := range s.Caches {
		for _, f := range cacheFigures {
			to <- f.of(c, name)
		}
		to <- loadsOf(c, name)
	}
	for name, src := range s.Sources {
		for _, f := range sourceFigures {
			to <- f.of(src, name)
		}
	}
	e.bus.collect(to)
}
