package chain

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/link"
)

// WriteTable writes a report for people: a table for each shape and round-trip time,
// with the sizes beside one another.
func (r Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	r.Write(&b, "latency against depth and width, by each contender")
	link.WriteAdded(&b, r.Links)
	for rest := r.Results; len(rest) > 0; {
		n := slices.IndexFunc(rest, func(res Result) bool { return res.Shape != rest[0].Shape || res.RTT != rest[0].RTT })
		if n < 0 {
			n = len(rest)
		}
		writeTable(&b, rest[:n])
		rest = rest[n:]
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

// writeTable writes results of one shape and round-trip time, which come size by size.
func writeTable(b *strings.Builder, results []Result) {
	what := "chain: each question needs the answer to the one before"
	if results[0].Shape == Fan {
		what = "fan: all questions can be asked at once"
	}
	fmt.Fprintf(b, "\n%g ms round trip, %s\n  %-18s", results[0].RTT, what, "questions")
	var sizes []int
	var names []string
	figures := map[string]map[int]string{}
	for _, res := range results {
		if !slices.Contains(sizes, res.N) {
			sizes = append(sizes, res.N)
			fmt.Fprintf(b, " %24s", fmt.Sprintf("%d: p50 ± spread, p99", res.N))
		}
		if figures[res.Contender] == nil {
			names = append(names, res.Contender)
			figures[res.Contender] = map[int]string{}
		}
		figures[res.Contender][res.N] = fmt.Sprintf("%s ±%2.0f%% %8s", harness.Latency(res.P50), res.spread(), harness.Latency(res.P99))
	}
	b.WriteString("\n")
	for _, name := range names {
		line := fmt.Sprintf("  %-18s", name)
		for _, n := range sizes {
			line += fmt.Sprintf(" %24s", figures[name][n])
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// spread is how far the rounds lie around the middle of them, in per cent.
func (r Result) spread() float64 {
	if r.P50Min+r.P50Max == 0 {
		return 0
	}
	return 100 * (r.P50Max - r.P50Min) / (r.P50Max + r.P50Min)
}
