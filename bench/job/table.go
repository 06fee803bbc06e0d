package job

import (
	"fmt"
	"io"
	"strings"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/link"
)

// WriteTable writes a report for people.
func (r Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	r.Write(&b, "a device request, by each contender")
	link.WriteAdded(&b, r.Links)
	var last string
	for _, res := range r.Results {
		if title := res.title(); title != last {
			last = title
			fmt.Fprintf(&b, "\n%s\n", title)
			fmt.Fprintf(&b, "  %-18s %8s %17s %9s %9s %9s %9s %22s %13s %8s %10s\n",
				"contender", "jobs/s", "slowest – fastest", "p50", "p90", "p99", "p99.9", "CPU/job adapter + edge", "allocs a + e", "bytes", "link late")
		}
		fmt.Fprintf(&b, "  %-18s %8s %17s %9s %9s %9s %9s %22s %13s %8s %10s\n", res.Contender,
			harness.Thousands(res.JobsPerSec), harness.Thousands(res.JobsMin)+" – "+harness.Thousands(res.JobsMax),
			harness.Latency(res.P50), harness.Latency(res.P90), harness.Latency(res.P99), harness.Latency(res.P999),
			fmt.Sprintf("%.0f = %.0f + %.0f µs", res.CPU, res.CPUAdapter, res.CPUEdge),
			fmt.Sprintf("%.0f + %.0f", res.AllocsAdapter, res.AllocsEdge), harness.Thousands(res.Bytes), res.late())
		if res.Errors > 0 {
			fmt.Fprintf(&b, "  %-18s %.1f %% of the jobs failed, or could not be begun\n", "", 100*res.Errors)
		}
	}
	harness.WriteBars(&b, "bars", r.Bars)
	for i, f := range r.Failures {
		if i == 0 {
			b.WriteString("\ncame to nothing\n")
		}
		fmt.Fprintf(&b, "  %s, %g ms round trip, %s loop, round %d: %s\n", f.Contender, f.RTT, f.Mode, f.Round, f.Error)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// title says under which load a result is.
func (r Result) title() string {
	if r.Mode == Open {
		return fmt.Sprintf("%g ms round trip, open loop, %s jobs/s", r.RTT, harness.Thousands(r.Rate))
	}
	return fmt.Sprintf("%g ms round trip, closed loop, %d under way", r.RTT, r.Concurrency)
}

// late is how late the link was, of each piece of bytes, each way.
func (r Result) late() string {
	if r.RTT == 0 {
		return "–"
	}
	return harness.Latency(r.LinkLate)
}
