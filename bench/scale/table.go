package scale

import (
	"fmt"
	"io"
	"strings"

	"warmline.dev/bench/harness"
)

// WriteTable writes a report for people.
func (r Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	r.Write(&b, "a device request among more and more lines and open conversations, by each contender")
	var last Result
	for _, res := range r.Results {
		if res.Of != last.Of {
			fmt.Fprintf(&b, "\n%s, %d under way\n", titles[res.Of], res.Concurrency)
			fmt.Fprintf(&b, "  %-18s %13s %22s %17s %9s %9s %23s %23s\n",
				"contender", res.Of, "CPU/job adapter + edge", "least – most", "p50", "p99", "memory adapter + edge", "one more: adapter + edge")
		}
		name := res.Contender
		if res.Of == last.Of && name == last.Contender {
			name = ""
		}
		line := fmt.Sprintf("  %-18s %13s %22s %17s %9s %9s %23s %23s", name, harness.Thousands(float64(res.N)),
			fmt.Sprintf("%.0f = %.0f + %.0f µs", res.CPU, res.CPUAdapter, res.CPUEdge),
			fmt.Sprintf("%.0f – %.0f µs", res.CPUMin, res.CPUMax), harness.Latency(res.P50), harness.Latency(res.P99),
			both(res.AdapterBytes, res.EdgeBytes), both(res.AdapterBytesEach, res.EdgeBytesEach))
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		last = res
	}
	harness.WriteBars(&b, "bars", r.Bars)
	for i, f := range r.Failures {
		if i == 0 {
			b.WriteString("\ncame to nothing\n")
		}
		fmt.Fprintf(&b, "  %v: %s\n", f, f.Error)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

var titles = map[string]string{
	Lines:         "jobs by so many lines, in turn",
	Conversations: "jobs by one line, beside so many open conversations",
}

// both writes the memory of the tiers; nothing where there is none, or it isn't known.
func both(adapter, edge float64) string {
	if adapter == 0 && edge == 0 {
		return ""
	}
	return harness.Bytes(adapter) + " + " + harness.Bytes(edge)
}
