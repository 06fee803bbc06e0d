package pieces

import (
	"fmt"
	"io"
	"strings"

	"warmline.dev/bench/harness"
)

// WriteTable writes a report for people.
func (r Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	r.Write(&b, "what a device request is made of, piece by piece")
	for i, g := range r.Groups {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s: %s\n", g.Name, g.Settings)
		head := false
		for _, res := range r.Results {
			if res.Group != g.Name {
				continue
			}
			if !head {
				head = true
				row(&b, "piece", "each", "fastest – slowest round", "CPU", "allocs/op", "B/op", "MB/s")
			}
			rate := ""
			if res.Encoded > 0 {
				rate = harness.Thousands(res.MBPerSecond)
			}
			row(&b, res.Piece, span(res.NsPerOp), span(res.NsMin)+" – "+span(res.NsMax), span(res.CPUPerOp),
				fmt.Sprintf("%.1f", res.AllocsPerOp), harness.Thousands(res.BytesPerOp), rate)
		}
	}
	for i, f := range r.Figures {
		if i == 0 {
			b.WriteString("\nfigures\n")
		}
		fmt.Fprintf(&b, "  %-60s %9s %s\n", f.What, harness.Thousands(f.Value), f.Unit)
	}
	harness.WriteBars(&b, "bars", r.Bars)
	for i, f := range r.Failures {
		if i == 0 {
			b.WriteString("\ncame to nothing\n")
		}
		fmt.Fprintf(&b, "  %s, round %d: %s\n", f.Piece, f.Round, f.Error)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func row(b *strings.Builder, name, each, spread, cpu, allocs, bytes, rate string) {
	line := fmt.Sprintf("  %-42s %8s %23s %8s %10s %10s %6s", name, each, spread, cpu, allocs, bytes, rate)
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}

// span writes nanoseconds with about three digits.
func span(ns float64) string {
	switch {
	case ns < 99.95:
		return fmt.Sprintf("%.1f ns", ns)
	case ns < 999.5:
		return fmt.Sprintf("%.0f ns", ns)
	case ns < 99_950:
		return fmt.Sprintf("%.2f µs", ns/1e3)
	case ns < 999_500:
		return fmt.Sprintf("%.0f µs", ns/1e3)
	}
	return fmt.Sprintf("%.2f ms", ns/1e6)
}
