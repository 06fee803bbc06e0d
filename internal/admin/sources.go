package admin

import (
	"github.com/prometheus/client_golang/prometheus"

	"warmline.dev/edgelayer/source"
)

func sourceDesc(name, help string, l prometheus.Labels) *prometheus.Desc {
	return prometheus.NewDesc("warmline_source_"+name, help, []string{"source"}, l)
}

func sourceGauge(name, help string, l prometheus.Labels, value func(source.Stats) float64) figure[source.Stats] {
	return figure[source.Stats]{sourceDesc(name, help, l), prometheus.GaugeValue, value}
}

func sourceCounter(name, help string, l prometheus.Labels, value func(source.Stats) int64) figure[source.Stats] {
	return figure[source.Stats]{sourceDesc(name, help, l), prometheus.CounterValue, func(s source.Stats) float64 { return float64(value(s)) }}
}

func sourceRefused(reason string, value func(source.Stats) int64) figure[source.Stats] {
	return sourceCounter("refused_total", "Requests that were not let through, by what did not let them.", prometheus.Labels{"reason": reason}, value)
}

func sourceFailed(kind string, value func(source.Stats) int64) figure[source.Stats] {
	return sourceCounter("attempt_failures_total", "Attempts that failed, by what became of them.", prometheus.Labels{"kind": kind}, value)
}

func sourceMissed(reason string, value func(source.Stats) int64) figure[source.Stats] {
	return sourceCounter("missed_total", "Retries and hedges that were due and were not made, by what there was too little of.", prometheus.Labels{"reason": reason}, value)
}

func sourceBreaker(state string) figure[source.Stats] {
	return sourceGauge("breaker", "State of the breaker: 1 for the one that it is in, 0 for the others.", prometheus.Labels{"state": state},
		func(s source.Stats) float64 { return is(s.Breaker == state) })
}

// sourceFigures are what a source has counted, by its name.
var sourceFigures = []figure[source.Stats]{
	sourceCounter("requests_total", "Requests that limit and breaker let through.", nil, func(s source.Stats) int64 { return s.Requests }),
	sourceCounter("request_failures_total", "Requests that retries and hedges could not mend.", nil, func(s source.Stats) int64 { return s.Failures }),
	sourceRefused("limit", func(s source.Stats) int64 { return s.Refused.Limit }),
	sourceRefused("breaker", func(s source.Stats) int64 { return s.Refused.Breaker }),

	sourceCounter("attempts_total", "Requests, retries and hedges that were sent.", nil, func(s source.Stats) int64 { return s.Attempts }),
	sourceFailed("timeout", func(s source.Stats) int64 { return s.Failed.Timeout }),
	sourceFailed("unreachable", func(s source.Stats) int64 { return s.Failed.Unreachable }),
	sourceFailed("cut_off", func(s source.Stats) int64 { return s.Failed.CutOff }),
	sourceFailed("status", func(s source.Stats) int64 { return s.Failed.Status }),
	sourceFailed("garbage", func(s source.Stats) int64 { return s.Failed.Garbage }),
	sourceFailed("too_large", func(s source.Stats) int64 { return s.Failed.TooLarge }),
	sourceCounter("retries_total", "Retries.", nil, func(s source.Stats) int64 { return s.Retries }),
	sourceCounter("hedges_total", "Hedges.", nil, func(s source.Stats) int64 { return s.Hedges }),
	sourceCounter("hedges_won_total", "Hedges that were the first to be answered.", nil, func(s source.Stats) int64 { return s.HedgesWon }),
	sourceMissed("budget", func(s source.Stats) int64 { return s.Missed.Budget }),
	sourceMissed("limit", func(s source.Stats) int64 { return s.Missed.Limit }),

	sourceGauge("in_flight", "Attempts that are under way.", nil, func(s source.Stats) float64 { return float64(s.InFlight) }),
	sourceGauge("limit", "Places for attempts, as measured; +Inf: no limit.", nil, func(s source.Stats) float64 { return unlimited(float64(s.Limit), 0) }),
	sourceBreaker("closed"),
	sourceBreaker("half-open"),
	sourceBreaker("open"),
	sourceBreaker("off"),
	sourceGauge("budget", "Retries and hedges there may be now; +Inf: no bound.", nil, func(s source.Stats) float64 { return unlimited(s.Budget, -1) }),
	sourceGauge("resting", "URLs that are left alone.", nil, func(s source.Stats) float64 { return float64(s.Resting) }),
	sourceGauge("attempt_p50_seconds", "Time that half of the last 256 attempts took at most.", nil, func(s source.Stats) float64 { return known(s.P50) }),
	sourceGauge("attempt_p95_seconds", "Time that 95 of 100 of the last 256 attempts took at most.", nil, func(s source.Stats) float64 { return known(s.P95) }),
}
