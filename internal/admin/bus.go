package admin

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	busConnected = prometheus.NewDesc("warmline_bus_connected", "Whether the bus is there: 1, or 0.", nil, nil)
	busState     = prometheus.NewDesc("warmline_bus_state_seconds", "How long the bus has been there, or not.", nil, nil)
)

// busFigures are those of a bus: whether it is there, and since when it is or is not;
// the zero time: since the process started.
type busFigures struct {
	state   func() (connected bool, since time.Time) // nil: there is no bus
	started time.Time
}

func (busFigures) describe(to chan<- *prometheus.Desc) {
	to <- busConnected
	to <- busState
}

func (b busFigures) collect(to chan<- prometheus.Metric) {
	if b.state == nil {
		return
	}
	connected, since := b.state()
	if since.IsZero() {
		since = b.started
	}
	to <- prometheus.MustNewConstMetric(busConnected, prometheus.GaugeValue, is(connected))
	to <- prometheus.MustNewConstMetric(busState, prometheus.GaugeValue, max(time.Since(since), 0).Seconds())
}
