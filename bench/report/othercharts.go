package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/report/chart"
)

func (d *drawer) chain(results []ChainResult) {
	d.shape(results, shapeChain, "chain", "Questions that need each other's answers", "how many, one after another", chart.Axis{},
		"Each question needs the answer to the one before it, as a film's rating needs to know the film. What has to wait for a round "+
			"trip at each step rises with every one; what sends all at once, with references, stays near one round trip.")
	d.shape(results, shapeFan, "fan", "Questions that need nothing of each other", "how many at once", chart.Axis{Log: true},
		"All questions can be asked at once. Who sends them so waits for one round trip, and what rises is the work. "+
			"The axis of how many is logarithmic.")
}

func (d *drawer) shape(results []ChainResult, shape, file, title, axis string, x chart.Axis, read string) {
	var panels []chart.Panel
	of := slices.DeleteFunc(slices.Clone(results), func(r ChainResult) bool { return r.Shape != shape })
	for _, rtt := range inOrder(of, func(r ChainResult) float64 { return r.RTT }) {
		at := slices.DeleteFunc(slices.Clone(of), func(r ChainResult) bool { return r.RTT != rtt })
		u := timeUnit(mostOf(at, func(r ChainResult) float64 { return r.P50 }))
		x.Name = axis
		x.At = nil
		for _, n := range inOrder(at, func(r ChainResult) int { return r.N }) {
			x.At = append(x.At, chart.Tick{At: float64(n), Name: strconv.Itoa(n)})
		}
		if len(x.At) > 12 {
			x.At = nil
		}
		panel := chart.Lines{Title: millis(rtt) + " between the tiers, median in " + u.name, X: x}
		for _, name := range few(inOrder(at, func(r ChainResult) string { return r.Contender }), func(s string) string { return s }) {
			line := d.line(name)
			for _, r := range at {
				if r.Contender == name {
					line.Points = append(line.Points, chart.Point{X: float64(r.N), Y: r.P50 / u.of})
				}
			}
			byX(line.Points)
			panel.Lines = append(panel.Lines, line)
		}
		panels = append(panels, panel)
	}
	d.add(file, title, "median of the whole. Less is better.", read, 2, panels)
}

func byX(points []chart.Point) {
	slices.SortStableFunc(points, func(a, b chart.Point) int { return cmp.Compare(a.X, b.X) })
}

func (d *drawer) scale(results []ScaleResult) {
	var panels []chart.Panel
	for _, of := range inOrder(results, func(r ScaleResult) string { return r.Of }) {
		at := slices.DeleteFunc(slices.Clone(results), func(r ScaleResult) bool { return r.Of != of })
		x := chart.Axis{Name: of + " open", Log: true}
		u := timeUnit(mostOf(at, func(r ScaleResult) float64 { return r.CPU }))
		cpu := chart.Lines{Title: "CPU per job by open " + of + ", in " + u.name, X: x}
		m := memoryUnit(mostOf(at, func(r ScaleResult) float64 { return max(r.AdapterBytes, r.EdgeBytes) }))
		memory := chart.Lines{Title: "memory by open " + of + ", in " + m.name, X: x, Y: chart.Axis{Log: true}}
		for _, name := range few(inOrder(at, func(r ScaleResult) string { return r.Contender }), func(s string) string { return s }) {
			line, adapter, edge := d.line(name), d.line(name), d.line(name)
			adapter.Name, edge.Name, edge.Dashed = name+" adapter", name+" edge", true
			for _, r := range at {
				if r.Contender == name {
					n := float64(r.N)
					line.Points = append(line.Points, chart.Point{X: n, Y: r.CPU / u.of})
					adapter.Points = append(adapter.Points, chart.Point{X: n, Y: r.AdapterBytes / m.of})
					edge.Points = append(edge.Points, chart.Point{X: n, Y: r.EdgeBytes / m.of})
				}
			}
			byX(line.Points)
			byX(adapter.Points)
			byX(edge.Points)
			cpu.Lines = append(cpu.Lines, line)
			memory.Lines = append(memory.Lines, adapter, edge)
		}
		panels = append(panels, cpu, memory)
	}
	d.add("scale", "What it costs to have many open", "CPU per job, and resident memory (log axis; dashed: the edge). Less is better.",
		"From left to right ten times as many with each step. A CPU line that stays level means that a job costs the same however many "+
			"are open. Memory begins with what the process needs anyway; where its line turns up, what is open outweighs that.", 2, panels)
}

func (d *drawer) faults(results []FaultsResult) {
	var ratios, timelines, tails []chart.Panel
	for _, fault := range inOrder(results, func(r FaultsResult) string { return r.Fault }) {
		at := slices.DeleteFunc(slices.Clone(results), func(r FaultsResult) bool { return r.Fault != fault })
		at = few(at, func(r FaultsResult) string { return r.Contender })
		panel := chart.Bars{Title: faultCalled(fault) + ", failed in %"}
		for _, r := range at {
			bar := d.bar(r.Contender, 100*r.ErrorRatio)
			bar.Label = percent(r.ErrorRatio)
			panel.Bars = append(panel.Bars, bar)
		}
		ratios = append(ratios, panel)
		if fault == "none" {
			continue
		}
		most, until := 0.0, 0.0
		var steps [][]chart.Step
		tail := chart.Lines{Y: chart.Axis{Log: true}, X: chart.Axis{Name: "seconds"}}
		u := timeUnit(mostOf(at, func(r FaultsResult) float64 { return mostOf(r.Timeline, func(m Moment) float64 { return m.P99 }) }))
		tail.Title = faultCalled(fault) + ", p99 in " + u.name
		for _, r := range at {
			line := d.line(r.Contender)
			line.Plain = true
			s := perSecondSteps(r)
			for i, m := range r.Timeline {
				line.Points = append(line.Points, chart.Point{X: m.At / 1000, Y: m.P99 / u.of})
				most, until = max(most, s[i].OK+s[i].Failed), max(until, s[i].To)
			}
			steps = append(steps, s)
			if len(line.Points) > 0 {
				tail.Lines = append(tail.Lines, line)
			}
		}
		if len(tail.Lines) > 0 {
			tails = append(tails, tail)
		}
		for i, r := range at {
			if len(steps[i]) > 0 && slices.Contains(two(at), r.Contender) {
				timelines = append(timelines, chart.Areas{
					Title: r.Contender + ", " + faultCalled(fault) + ", jobs/s", Ink: d.palette.Ink(r.Contender),
					X: chart.Axis{Name: "seconds"}, Steps: steps[i], Most: most, Until: until, Marks: marks(r),
				})
			}
		}
	}
	d.add("faults", "How many jobs fail when something breaks", "share of all jobs of the run that ended in an error. Less is better.",
		"Jobs arrive at the same rate for all; the share that ended in an error instead of a page is drawn, each panel on a scale of its "+
			"own. What was tried again and came back in time is no error. A job that overload refuses at once counts as failed.", 2, ratios)
	d.add("faults-timeline", "Through each fault", "jobs per second; in colour: answered; on top, as strong as text: failed",
		"From left to right the seconds of a run with the fault in the middle of it. The coloured area is jobs that were answered, the "+
			"area on top, as strong as text, those that failed. Dashed lines are when something was done. Panels of the same fault have the same scale.", 2, timelines)
	d.add("faults-p99", "How long the slowest wait meanwhile", "p99 of each moment, log axis. Less is better.",
		"The same seconds: what one job in a hundred takes longer than. The axis is logarithmic. A line that stays level says that who was "+
			"answered noticed nothing.", 2, tails)
}

// two are the contenders whose seconds are drawn one by one: http1 and warmline, if
// there are both.
func two(at []FaultsResult) []string {
	names := inOrder(at, func(r FaultsResult) string { return r.Contender })
	if slices.Contains(names, "http1") && slices.Contains(names, ours) {
		return []string{"http1", ours}
	}
	return names[:min(2, len(names))]
}

// marks are when something was done. Many are none: they would hide the rest.
func marks(r FaultsResult) []float64 {
	const many = 20
	if len(r.Events) > many {
		return nil
	}
	var at []float64
	for _, e := range r.Events {
		at = append(at, e.At/1000)
	}
	return at
}

// perSecondSteps turns counts into rates. The last moment is as long as the one before.
func perSecondSteps(r FaultsResult) []chart.Step {
	var steps []chart.Step
	timeline := r.Timeline
	for i, m := range timeline {
		long := 1000.0
		switch {
		case i+1 < len(timeline):
			long = timeline[i+1].At - m.At
		case i > 0:
			long = m.At - timeline[i-1].At
		}
		perSecond := 1000 / long / float64(max(1, r.Rounds))
		steps = append(steps, chart.Step{From: m.At / 1000, To: (m.At + long) / 1000, OK: m.OK * perSecond, Failed: m.Failed * perSecond})
	}
	return steps
}

func (d *drawer) pieces(bars []harness.Bar) {
	var panel chart.Ratios
	panel.Title = "of what its bar allows"
	for _, bar := range bars {
		if len(panel.Ratios) == 2*maxMarks {
			break
		}
		j := judgement{d.head.Bench, bar}
		panel.Ratios = append(panel.Ratios, chart.Ratio{Name: bar.What, Of: j.used(), Label: strings.TrimSpace(j.Value() + " (" + j.Limit() + ") " + j.Missed())})
	}
	if panel.Ratios == nil {
		return
	}
	d.add("pieces", "The pieces against their bars", "left of the line: the bar holds; right of it: missed. Log axis.",
		"What each piece costs by itself, as a share of what the design allows it. A dot left of the line at 1× holds its bar, a square right of it "+
			"misses. The figures are what was measured and, in brackets, the bar.", 1, []chart.Panel{panel})
}

func (d *drawer) wire(results []WireResult) {
	var panels []chart.Panel
	for _, payload := range inOrder(results, func(r WireResult) int { return r.Payload }) {
		at := slices.DeleteFunc(slices.Clone(results), func(r WireResult) bool { return r.Payload != payload })
		x := chart.Axis{Name: "requests in flight", Log: true}
		for _, n := range inOrder(at, func(r WireResult) int { return r.InFlight }) {
			if n > 0 {
				x.At = append(x.At, chart.Tick{At: float64(n), Name: strconv.Itoa(n)})
			}
		}
		panel := chart.Lines{
			Title: fmt.Sprintf("%s B, requests/s", harness.Thousands(float64(payload))),
			X:     x, Y: chart.Axis{Log: true},
		}
		for _, name := range few(inOrder(at, func(r WireResult) string { return r.Contender }), func(s string) string { return s }) {
			line := d.line(name)
			for _, r := range at {
				if r.Contender == name {
					line.Points = append(line.Points, chart.Point{X: float64(r.InFlight), Y: r.OpsPerSecond})
				}
			}
			byX(line.Points)
			panel.Lines = append(panel.Lines, line)
		}
		panels = append(panels, panel)
	}
	d.add("wire", "The engine alone: an echo", "requests per second by requests in flight, log axes. More is better.",
		"An echo without any work behind it: what the protocol itself costs. From left to right more requests are under way at once. Both "+
			"axes are logarithmic: each line of the grid is a fixed factor. tcp-pipelined is the limit of the machine, not a way to ask a server.", 2, panels)
}
