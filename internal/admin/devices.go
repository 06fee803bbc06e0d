package admin

import (
	"github.com/prometheus/client_golang/prometheus"

	"warmline.dev/passport/device"
)

func deviceFigure(kind prometheus.ValueType, name, help string, value func(device.Stats) float64) figure[device.Stats] {
	return figure[device.Stats]{prometheus.NewDesc("warmline_devices_"+name, help, nil, nil), kind, value}
}

// deviceFigures are those of the device data.
var deviceFigures = []figure[device.Stats]{
	deviceFigure(prometheus.GaugeValue, "version", "Version of the device data in use.", func(s device.Stats) float64 { return float64(s.Version) }),
	deviceFigure(prometheus.GaugeValue, "newest_version", "Newest version that is held.", func(s device.Stats) float64 { return float64(s.Newest) }),
	deviceFigure(prometheus.GaugeValue, "pinned_version", "Version that is to be used; 0: the newest.", func(s device.Stats) float64 { return float64(s.Pinned) }),
	deviceFigure(prometheus.GaugeValue, "age_seconds", "How long ago the device data in use was made.", func(s device.Stats) float64 { return s.Age.Seconds() }),
	deviceFigure(prometheus.GaugeValue, "rows", "ESN prefixes in use.", func(s device.Stats) float64 { return float64(s.Rows) }),
	deviceFigure(prometheus.CounterValue, "taken_total", "Snapshots and deltas that were new.", func(s device.Stats) float64 { return float64(s.Taken) }),
	deviceFigure(prometheus.CounterValue, "refused_total", "Snapshots and deltas that were not what they should be, or not for here.", func(s device.Stats) float64 { return float64(s.Refused) }),
	deviceFigure(prometheus.CounterValue, "asked_total", "Snapshots that were asked for.", func(s device.Stats) float64 { return float64(s.Asked) }),
}
