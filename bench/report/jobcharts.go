package report

import (
	"fmt"
	"math"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/report/chart"
)

func (d *drawer) job(results []JobResult) {
	d.jobMedians(closedLoads(results, lightest))
	d.jobTrips(closedLoads(results, lightest))
	d.jobCPU(closedLoads(results, heaviest))
	d.jobRates(closedLoads(results, heaviest))
	d.jobOpen(openLoads(results))
}

func jobContender(r JobResult) string { return r.Contender }

func (d *drawer) jobMedians(loads [][]JobResult) {
	var panels []chart.Panel
	for _, at := range loads {
		u := timeUnit(mostOf(at, func(r JobResult) float64 { return r.P99 }))
		panel := chart.Bars{Title: at[0].load() + ", in " + u.name}
		for _, r := range few(at, jobContender) {
			bar := d.bar(r.Contender, r.P50/u.of)
			if r.P99 > r.P50 {
				bar.Low, bar.High = r.P50/u.of, r.P99/u.of
			}
			bar.Label = threeDigits(r.P50/u.of) + " / " + threeDigits(r.P99/u.of)
			panel.Bars = append(panel.Bars, bar)
		}
		panels = append(panels, panel)
	}
	d.add("job-median", "How long one job takes", "bar: median; line: to p99; both as figures. Less is better.",
		"One panel for each round-trip time between the tiers. The bar is the median, the line behind it reaches to p99, "+
			"and both stand beside it as figures. Bars begin at zero, so twice as long is twice as slow. "+
			"Each panel has a scale of its own.", 2, panels)
}

func (d *drawer) jobTrips(loads [][]JobResult) {
	var all []JobResult
	var ticks []chart.Tick
	for _, at := range loads {
		all = append(all, at...)
		ticks = append(ticks, chart.Tick{At: at[0].RTT, Name: fmt.Sprintf("%g", at[0].RTT)})
	}
	if len(loads) < 2 {
		return
	}
	u := timeUnit(mostOf(all, func(r JobResult) float64 { return r.P50 }))
	panel := chart.Lines{
		Title: "median, in " + u.name,
		X:     chart.Axis{Name: "round-trip time between the tiers, in ms", At: ticks},
	}
	for _, name := range few(contenders(all), func(s string) string { return s }) {
		line := d.line(name)
		for _, r := range all {
			if r.Contender == name {
				line.Points = append(line.Points, chart.Point{X: r.RTT, Y: r.P50 / u.of})
			}
		}
		panel.Lines = append(panel.Lines, line)
	}
	d.add("job-rtt", "What distance does to a job", "median of a job by the round-trip time between the tiers. Less is better.",
		"The steeper a line, the more often a contender crosses the network for one job: a line that rises by 3 ms for each "+
			"millisecond of distance waits for three round trips, one after another.", 1, []chart.Panel{panel})
}

func (d *drawer) jobCPU(loads [][]JobResult) {
	var panels []chart.Panel
	if len(loads) > 0 { // it hardly depends on the distance
		at := loads[0]
		u := timeUnit(mostOf(at, func(r JobResult) float64 { return r.CPU }))
		panel := chart.Bars{Title: at[0].load() + ", in " + u.name}
		for _, r := range few(at, jobContender) {
			bar := d.bar(r.Contender, r.CPUAdapter/u.of, r.CPUEdge/u.of)
			if r.CPUAdapter+r.CPUEdge == 0 {
				bar.Parts = []float64{r.CPU / u.of}
			}
			bar.Label = threeDigits(r.CPU/u.of) + " = " + threeDigits(r.CPUAdapter/u.of) + " + " + threeDigits(r.CPUEdge/u.of)
			panel.Bars = append(panel.Bars, bar)
		}
		panels = append(panels, panel)
	}
	d.add("job-cpu", "What a job costs", "CPU time per job: strong colour: adapter; faint: edge. Less is better.",
		"The CPU time that both tiers spend on one job. The strong part of a bar is the adapter's, the faint part the edge's, and "+
			"the figures are the sum and the two. This is what a machine's capacity divides by.", 1, panels)
}

func (d *drawer) jobRates(loads [][]JobResult) {
	var panels []chart.Panel
	for _, at := range loads {
		panel := chart.Bars{Title: at[0].load() + ", jobs/s"}
		for _, r := range few(at, jobContender) {
			bar := d.bar(r.Contender, r.JobsPerSecond)
			if r.JobsMax > r.JobsMin {
				bar.Low, bar.High = r.JobsMin, r.JobsMax
			}
			bar.Label = harness.Thousands(r.JobsPerSecond)
			panel.Bars = append(panel.Bars, bar)
		}
		panels = append(panels, panel)
	}
	d.add("job-rate", "How many jobs a second", "closed loop: one that is done sends the next; line: slowest to fastest round. More is better.",
		"So many jobs were done each second while as many as the panel says were under way. The thin line is from the slowest to the "+
			"fastest round: where it is wide, the machine was busy with something else. With distance between the tiers, the "+
			"waiting decides; without, the CPU.", 2, panels)
}

func (d *drawer) jobOpen(loads [][]JobResult) {
	// The slower tenth, hundredth and thousandth each have as much room.
	place := func(quantile float64) float64 { return -math.Log10(1 - quantile) }
	ticks := []chart.Tick{{At: place(0.5), Name: "p50"}, {At: place(0.9), Name: "p90"}, {At: place(0.99), Name: "p99"}, {At: place(0.999), Name: "p99.9"}}
	var panels []chart.Panel
	for _, at := range loads {
		u := timeUnit(mostOf(at, func(r JobResult) float64 { return r.P99 }))
		panel := chart.Lines{
			Title: at[0].load() + ", in " + u.name,
			X:     chart.Axis{At: ticks},
			Y:     chart.Axis{Log: true},
		}
		for _, r := range few(at, jobContender) {
			line := d.line(r.Contender)
			for i, v := range []float64{r.P50, r.P90, r.P99, r.P999} {
				line.Points = append(line.Points, chart.Point{X: ticks[i].At, Y: v / u.of})
			}
			panel.Lines = append(panel.Lines, line)
		}
		panels = append(panels, panel)
	}
	d.add("job-open", "When jobs arrive at a given rate", "open loop: latency of the slowest half, tenth, hundredth and thousandth, log axis. Less is better.",
		"Here jobs arrive at a rate, as devices do, whether others are done or not, so that waiting in a queue counts. To the right "+
			"are the slower ones: of a hundred jobs one takes longer than p99. The axis is logarithmic: equal distances are equal factors.", 2, panels)
}
