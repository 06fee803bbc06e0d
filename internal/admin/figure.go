package admin

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
)

// figure is one that is read from S at each scrape.
type figure[S any] struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(S) float64
}

// of is it now; names are the values of the figure's own label, if it has one.
func (f figure[S]) of(s S, names ...string) prometheus.Metric {
	m, err := prometheus.NewConstMetric(f.desc, f.kind, f.value(s), names...)
	return orInvalid(f.desc, m, err)
}

func collectAll[S any](to chan<- prometheus.Metric, figures []figure[S], s S) {
	for _, f := range figures {
		to <- f.of(s)
	}
}

// orInvalid makes a figure that can't be given an error of the scrape, which has the
// others all the same.
func orInvalid(desc *prometheus.Desc, m prometheus.Metric, err error) prometheus.Metric {
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	return m
}

// unlimited is a bound for Prometheus, of which none says that there is none: what
// is compared with it, or divided by it, comes out right.
func unlimited(bound, none float64) float64 {
	if bound == none {
		return math.Inf(1)
	}
	return bound
}

// known is a quantile in seconds of one in milliseconds; that of nothing is no
// number, as Prometheus has it, and not 0.
func known(ms float64) float64 {
	if ms == 0 {
		return math.NaN()
	}
	return ms / 1000
}

func is(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
