package admin

import (
	"github.com/prometheus/client_golang/prometheus"

	"warmline.dev/passport/revocation"
)

func revocationDesc(name, help string, l prometheus.Labels) *prometheus.Desc {
	return prometheus.NewDesc("warmline_revocation_"+name, help, nil, l)
}

func revocationGauge(name, help string, value func(revocation.Stats) float64) figure[revocation.Stats] {
	return figure[revocation.Stats]{revocationDesc(name, help, nil), prometheus.GaugeValue, value}
}

func revocationCounter(name, help string, l prometheus.Labels, value func(revocation.Stats) uint64) figure[revocation.Stats] {
	return figure[revocation.Stats]{revocationDesc(name, help, l), prometheus.CounterValue, func(s revocation.Stats) float64 { return float64(value(s)) }}
}

func revocationTaken(kind string, value func(revocation.Stats) uint64) figure[revocation.Stats] {
	return revocationCounter("messages_total", "Messages of publishers that were taken, by what they tell.", prometheus.Labels{"kind": kind}, value)
}

func revocationRefused(reason string, value func(revocation.Stats) uint64) figure[revocation.Stats] {
	return revocationCounter("refused_total", "Messages that were not taken, by why not.", prometheus.Labels{"reason": reason}, value)
}

// revocationFigures are those of the set of accounts that have changed.
var revocationFigures = []figure[revocation.Stats]{
	revocationGauge("age_seconds", "How long ago the set was known to be complete; since the start, if it never was.", func(s revocation.Stats) float64 { return s.Age.Seconds() }),
	revocationGauge("stale", "Whether the set is too old to go by: 1, or 0.", func(s revocation.Stats) float64 { return is(s.Stale) }),
	revocationGauge("complete", "Whether nothing that was told is missing: 1, or 0.", func(s revocation.Stats) float64 { return is(s.Complete) }),
	revocationGauge("publishers", "Publishers that are heard.", func(s revocation.Stats) float64 { return float64(s.Publishers) }),
	revocationGauge("entries", "Accounts and sessions in the set.", func(s revocation.Stats) float64 { return float64(s.Entries) }),
	revocationGauge("filter_bytes", "Memory of the filter, which all checks read.", func(s revocation.Stats) float64 { return float64(s.FilterBytes) }),
	revocationGauge("bytes", "Memory of filter and entries.", func(s revocation.Stats) float64 { return float64(s.Bytes) }),
	revocationTaken("change", func(s revocation.Stats) uint64 { return s.Changes }),
	revocationTaken("beat", func(s revocation.Stats) uint64 { return s.Beats }),
	revocationTaken("snapshot", func(s revocation.Stats) uint64 { return s.Snapshots }),
	revocationRefused("forged", func(s revocation.Stats) uint64 { return s.Forged }),
	revocationRefused("malformed", func(s revocation.Stats) uint64 { return s.Malformed }),
	revocationRefused("old", func(s revocation.Stats) uint64 { return s.Old }),
	revocationCounter("gaps_total", "Times that something may have been missed.", nil, func(s revocation.Stats) uint64 { return s.Gaps }),
	revocationCounter("builds_total", "Filters that were built.", nil, func(s revocation.Stats) uint64 { return s.Builds }),
	revocationCounter("build_failures_total", "Filters that could not be built.", nil, func(s revocation.Stats) uint64 { return s.BuildsFailed }),
	revocationGauge("build_seconds", "Time that the last filter took to build.", func(s revocation.Stats) float64 { return s.BuildTime.Seconds() }),
}
