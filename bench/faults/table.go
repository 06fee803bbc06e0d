package faults

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/load"
)

// WriteTable writes a report for people.
func (r Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	r.Write(&b, "device requests while something fails")
	var last string
	for _, res := range r.Results {
		if res.Fault != last {
			last = res.Fault
			f, err := find(res.Fault)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, "\n%s: %s\n", f.Name, f.What)
			fmt.Fprintf(&b, "  %-18s %9s %9s %8s %9s %9s %19s  %s\n", "contender", "asked/s", "jobs/s", "failed", "p50", "p99", "least – most", "p99 over time")
		}
		fmt.Fprintf(&b, "  %-18s %9s %9s %8s %9s %9s %19s  %s\n", res.Contender,
			harness.Thousands(res.Rate), harness.Thousands(res.JobsPerSec), percent(res.Errors), harness.Latency(res.P50), harness.Latency(res.P99),
			harness.Latency(res.P99Min)+" – "+harness.Latency(res.P99Max), drawn(res.Timeline))
		for i, text := range slices.SortedFunc(maps.Keys(res.Texts), func(x, y string) int { return cmp.Or(cmp.Compare(res.Texts[y], res.Texts[x]), cmp.Compare(x, y)) }) {
			if i == mostTexts {
				fmt.Fprintf(&b, "  %-18s … and %d others: see --json\n", "", len(res.Texts)-i)
				break
			}
			fmt.Fprintf(&b, "  %-18s %s × %s\n", "", harness.Thousands(float64(res.Texts[text])), text)
		}
	}
	if len(r.Results) > 0 {
		fmt.Fprintf(&b, "\np99 over time: a mark for %v of each measurement, in steps from 1 ms to the 2 s that a job has; x: jobs failed\n", bucket)
	}
	for i, f := range r.Failures {
		if i == 0 {
			b.WriteString("\ncame to nothing\n")
		}
		fmt.Fprintf(&b, "  %s, %s, round %d: %s\n", f.Contender, f.Fault, f.Round, f.Error)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// mostTexts is how many kinds of errors a table has of a contender.
const mostTexts = 3

// percent has enough digits to tell some from none.
func percent(ratio float64) string {
	if ratio > 0 && ratio < 0.0001 {
		return "< 0.01 %"
	}
	return harness.Figure(100*ratio) + " %"
}

// mostDrawn is how many buckets of a timeline are drawn.
const mostDrawn = 100

// drawn is a timeline in a line of text.
func drawn(line []load.Bucket) string {
	marks := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for i, at := range line {
		switch {
		case i == mostDrawn:
			b.WriteString("…")
			return b.String()
		case at.Failed > 0:
			b.WriteByte('x')
		case at.OK == 0:
			b.WriteByte(' ')
		default: // by the logarithm: half as much again is nothing, twice as much is something
			step := math.Log(at.P99/1e3) / math.Log(timeout.Seconds()*1e3) * float64(len(marks))
			b.WriteRune(marks[min(max(0, int(step)), len(marks)-1)])
		}
	}
	return b.String()
}
