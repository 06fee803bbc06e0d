package admin

import (
	"github.com/prometheus/client_golang/prometheus"

	"warmline.dev/edgelayer/warm"
)

func cacheDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("warmline_cache_"+name, help, []string{"cache"}, nil)
}

func cacheGauge(name, help string, value func(warm.Stats) float64) figure[warm.Stats] {
	return figure[warm.Stats]{cacheDesc(name, help), prometheus.GaugeValue, value}
}

func cacheCounter(name, help string, value func(warm.Stats) int64) figure[warm.Stats] {
	return figure[warm.Stats]{cacheDesc(name, help), prometheus.CounterValue, func(s warm.Stats) float64 { return float64(value(s)) }}
}

// cacheFigures are what a cache has counted, by its name; its loads come besides.
var cacheFigures = []figure[warm.Stats]{
	cacheGauge("entries", "Entries that are kept.", func(s warm.Stats) float64 { return float64(s.Entries) }),
	cacheGauge("bytes", "Memory that the entries take.", func(s warm.Stats) float64 { return float64(s.Bytes) }),
	cacheGauge("max_bytes", "Memory that the entries may take.", func(s warm.Stats) float64 { return float64(s.Most) }),
	cacheGauge("age_seconds", "Age of a value, on average.", func(s warm.Stats) float64 { return s.Age }),
	cacheCounter("hits_total", "Answers from memory; that a key has no value, too.", func(s warm.Stats) int64 { return s.Hits }),
	cacheCounter("misses_total", "Keys that had to be loaded.", func(s warm.Stats) int64 { return s.Misses }),
	cacheCounter("stale_total", "Answers with what was past its TTL.", func(s warm.Stats) int64 { return s.Stale }),
	cacheCounter("fallbacks_total", "Answers with the static value.", func(s warm.Stats) int64 { return s.Fallbacks }),
	cacheCounter("loads_total", "Requests to the source, with one key or many.", func(s warm.Stats) int64 { return s.Loads }),
	cacheCounter("load_failures_total", "Loads that failed.", func(s warm.Stats) int64 { return s.Failures }),
	cacheCounter("refreshes_total", "Values loaded anew behind an answer.", func(s warm.Stats) int64 { return s.Refreshes }),
	cacheCounter("evictions_total", "Entries that went for want of room.", func(s warm.Stats) int64 { return s.Evictions }),
	cacheCounter("dropped_total", "Entries that were dropped by invalidation.", func(s warm.Stats) int64 { return s.Dropped }),
	cacheCounter("taken_over_total", "Entries from another edge.", func(s warm.Stats) int64 { return s.Taken }),
}

var cacheLoads = cacheDesc("load_seconds", "Time that loads took.")

func loadsOf(s warm.Stats, name string) prometheus.Metric {
	m, err := prometheus.NewConstSummary(cacheLoads, uint64(s.Loads), s.LoadSum/1000,
		map[float64]float64{0.5: known(s.LoadP50), 0.99: known(s.LoadP99)}, name)
	return orInvalid(cacheLoads, m, err)
}
