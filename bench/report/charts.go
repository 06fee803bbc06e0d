package report

import (
	"fmt"
	"slices"
	"strconv"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/report/chart"
)

// drawing is a chart with how to read it.
type drawing struct {
	Bench string
	File  string // its name, without an ending
	Read  string
	chart.Chart
}

// files are the names of all charts that there can be.
var files = []string{
	"job-median", "job-rtt", "job-cpu", "job-rate", "job-open", "chain", "fan", "scale",
	"faults", "faults-timeline", "faults-p99", "pieces", "wire",
}

// What a chart has room for. More is in the tables.
const (
	maxPanels = 10
	maxMarks  = 16 // bars or lines of a panel
)

// drawings are the charts of all benches, in the order of the page.
func (r *Report) drawings() []drawing {
	d := drawer{palette: chart.NewPalette(r.contenders())}
	if r.Job != nil {
		d.begin(r.Job.Head)
		d.job(r.Job.Results)
	}
	if r.Chain != nil {
		d.begin(r.Chain.Head)
		d.chain(r.Chain.Results)
	}
	if r.Scale != nil {
		d.begin(r.Scale.Head)
		d.scale(r.Scale.Results)
	}
	if r.Faults != nil {
		d.begin(r.Faults.Head)
		d.faults(r.Faults.Results)
	}
	if r.Pieces != nil {
		d.begin(r.Pieces.Head)
		d.pieces(r.Pieces.Bars)
	}
	if r.Wire != nil {
		d.begin(r.Wire.Head)
		d.wire(r.Wire.Results)
	}
	return d.drawn
}

// contenders are all that there are, so that each has one colour everywhere.
func (r *Report) contenders() []string {
	var all []string
	for _, t := range r.tables() {
		if t.of == "contender" {
			for _, row := range t.rows {
				all = append(all, row.of)
			}
		}
	}
	return inOrder(all, func(s string) string { return s })
}

// drawer collects charts.
type drawer struct {
	palette chart.Palette
	head    harness.Head // of the bench whose charts are drawn
	drawn   []drawing
}

func (d *drawer) begin(h harness.Head) { d.head = h }

// add keeps a chart if there is anything in it.
func (d *drawer) add(file, title, sub, read string, columns int, panels []chart.Panel) {
	if len(panels) == 0 {
		return
	}
	if more := len(panels) - maxPanels; more > 0 {
		panels = panels[:maxPanels]
		read += fmt.Sprintf(" %d more are in the tables.", more)
	}
	foot := "warmline-bench " + d.head.Bench + ", " + d.head.Date.Format("2 January 2006") + ", " + machineCalled(d.head.Machine)
	d.drawn = append(d.drawn, drawing{d.head.Bench, file, read, chart.Chart{Title: title, Sub: sub, Foot: foot, Columns: columns, Panels: panels}})
}

func machineCalled(m harness.Machine) string {
	m.Load = ""
	return m.String()
}

func (d *drawer) bar(name string, parts ...float64) chart.Bar {
	return chart.Bar{Name: name, Ink: d.palette.Ink(name), Bold: isOurs(name), Parts: parts}
}

func (d *drawer) line(name string) chart.Line {
	return chart.Line{Name: name, Ink: d.palette.Ink(name), Bold: isOurs(name)}
}

// few keeps what a panel has room for, Warmline's first.
func few[T any](of []T, name func(T) string) []T {
	for len(of) > maxMarks {
		last := len(of) - 1
		for last > 0 && isOurs(name(of[last])) {
			last--
		}
		of = slices.Delete(slices.Clone(of), last, last+1)
	}
	return of
}

// unit is what figures of a panel are divided by, so that they are short.
type unit struct {
	name string
	of   float64
}

func timeUnit(mostMicros float64) unit {
	switch {
	case mostMicros >= 2e6:
		return unit{"s", 1e6}
	case mostMicros >= 1000:
		return unit{"ms", 1000}
	}
	return unit{"µs", 1}
}

func memoryUnit(most float64) unit {
	switch {
	case most >= 4<<30:
		return unit{"GiB", 1 << 30}
	case most >= 1<<20:
		return unit{"MiB", 1 << 20}
	}
	return unit{"KiB", 1 << 10}
}

func mostOf[R any](results []R, figure func(R) float64) float64 {
	most := 0.0
	for _, r := range results {
		most = max(most, figure(r))
	}
	return most
}

// threeDigits writes a figure that stands beside a bar.
func threeDigits(f float64) string {
	switch {
	case f >= 1000:
		return harness.Thousands(f)
	case f >= 99.95:
		return strconv.FormatFloat(f, 'f', 0, 64)
	case f >= 9.995:
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return strconv.FormatFloat(f, 'f', 2, 64)
}
