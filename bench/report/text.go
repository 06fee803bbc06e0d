package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// WriteSummary writes the answer that stands first on the page, for a terminal.
func (r *Report) WriteSummary(w io.Writer) error {
	var b strings.Builder
	a := r.answer()
	section := func(title string, lines []string) {
		if len(lines) == 0 {
			return
		}
		b.WriteString(title + "\n")
		for _, line := range lines {
			b.WriteString("  " + line + "\n")
		}
	}
	section("in short", append(a.Lead, a.Sentences...))
	if len(a.Bars) > 0 {
		fmt.Fprintf(&b, "%d of %d bars hold\n", a.Held, len(a.Bars))
	}
	for _, bar := range a.Bars {
		if !bar.Holds {
			fmt.Fprintf(&b, "  %s: %s: %s, %s was asked for (%s)\n", bar.Bench, bar.What, bar.Value(), bar.Limit(), bar.Missed())
		}
	}
	section("another contender is ahead of warmline", a.Behind)
	if a.Failures > 0 {
		fmt.Fprintf(&b, "came to nothing: %d of the measurements\n", a.Failures)
	}
	section("take care", a.Cautions)
	if len(a.Missing) > 0 {
		fmt.Fprintf(&b, "not measured: %s\n", strings.Join(a.Missing, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteTable writes every figure beside the earlier one, for a terminal, and those
// that are beyond the noise once more at the end.
func (c *Comparison) WriteTable(w io.Writer) error {
	var b strings.Builder
	title, wide := "", 0
	for _, d := range c.Differences {
		wide = max(wide, utf8.RuneCountInString(d.Of))
	}
	for _, d := range c.Differences {
		if t := strings.TrimSuffix(d.Bench+": "+d.Load, ": "); t != title {
			title = t
			fmt.Fprintf(&b, "\n%s\n", t)
			b.WriteString(strings.TrimRight(differenceLine(wide, "", "", "now", "before", "change", ""), " ") + "\n")
		}
		b.WriteString(d.line(wide) + "\n")
	}
	if b.Len() == 0 {
		b.WriteString("\nnothing that both runs have\n")
	}
	b.WriteByte('\n')
	for _, caution := range c.Cautions {
		b.WriteString(caution + "\n")
	}
	if c.OnlyNew+c.OnlyOld > 0 {
		fmt.Fprintf(&b, "not compared: %d rows that the earlier run has not, and %d that only it has\n", c.OnlyNew, c.OnlyOld)
	}
	if c.OtherRate > 0 {
		fmt.Fprintf(&b, "not compared: %d rows under which jobs arrived at rates that differ by more than 10 %%\n", c.OtherRate)
	}
	marked := c.Marked()
	fmt.Fprintf(&b, "%d of %d figures differ by more than the noise\n", len(marked), len(c.Differences))
	for _, d := range marked {
		fmt.Fprintf(&b, "%s  %s\n", d.line(wide), strings.TrimSuffix(d.Bench+": "+d.Load, ": "))
	}
	fmt.Fprintf(&b, "%s\n", Rule)
	_, err := io.WriteString(w, b.String())
	return err
}

func (d Difference) line(wide int) string {
	return strings.TrimRight(differenceLine(wide, d.Of, d.Figure, d.New, d.Old, d.Change, string(d.Verdict)), " ")
}

func differenceLine(wide int, of, figure, now, before, change, verdict string) string {
	return fmt.Sprintf("  %-*s  %-14s %12s %12s %8s  %-6s", wide, of, figure, now, before, change, verdict)
}
