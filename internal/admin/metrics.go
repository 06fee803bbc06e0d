package admin

import (
	stdlog "log"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"

	"warmline.dev/edgelayer"
)

// maxScrapes bounds the scrapes at once: each looks at every cache.
const maxScrapes = 4

// metrics makes the answer to /metrics, with a registry of its own.
func (s *Server) metrics() (http.Handler, error) {
	own := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		edge{stats: s.cfg.Stats, bus: s.cfg.Bus, started: time.Now()},
	} {
		if err := own.Register(c); err != nil {
			return nil, err
		}
	}
	return promhttp.HandlerFor(own, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: maxScrapes,
		ErrorLog: stdlog.New(leveled{s.cfg.Log, zerolog.WarnLevel}, "", 0),
	}), nil
}

// edge collects what the edge has counted itself.
type edge struct {
	stats   func() edgelayer.Stats
	bus     func() (bool, time.Time)
	started time.Time
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

var (
	busConnected = prometheus.NewDesc("warmline_bus_connected", "Whether the bus is there: 1, or 0.", nil, nil)
	busState     = prometheus.NewDesc("warmline_bus_state_seconds", "How long the bus has been there, or not.", nil, nil)
)

// Describe implements prometheus.Collector.
func (e edge) Describe(to chan<- *prometheus.Desc) {
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
	to <- busConnected
	to <- busState
}

// Collect implements prometheus.Collector.
func (e edge) Collect(to chan<- prometheus.Metric) {
	s := e.stats()
	for _, f := range edgeFigures {
		to <- f.of(s)
	}
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
	if e.bus == nil {
		return
	}
	connected, since := e.bus()
	if since.IsZero() {
		since = e.started
	}
	to <- prometheus.MustNewConstMetric(busConnected, prometheus.GaugeValue, is(connected))
	to <- prometheus.MustNewConstMetric(busState, prometheus.GaugeValue, max(time.Since(since), 0).Seconds())
}
