package admin

import (
	stdlog "log"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"
)

// maxScrapes bounds the scrapes at once: each looks at everything that is counted.
const maxScrapes = 4

// metrics makes the answer to /metrics, with a registry of its own.
func (s *Server) metrics() (http.Handler, error) {
	own := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		s.tier.figures,
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
