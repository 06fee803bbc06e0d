package wire

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"warmline.dev/bench/contender"
)

// WriteTable writes a report for people.
func (r Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	r.head(&b)
	var last contender.Load
	for _, res := range r.Results {
		if res.Load != last {
			last = res.Load
			fmt.Fprintf(&b, "\n%d B, %d in flight\n", last.Payload, last.InFlight)
			row(&b, "contender", "requests/s", "slowest – fastest round", "p50", "p99", "allocs/op client", "server")
		}
		spread := thousands(res.OpsMin) + " – " + thousands(res.OpsMax)
		row(&b, res.Contender, thousands(res.OpsPerSecond), spread, latency(res.P50), latency(res.P99),
			fmt.Sprintf("%.1f", res.ClientAllocs), fmt.Sprintf("%.1f", res.ServerAllocs))
	}
	if len(r.Bars) > 0 {
		fmt.Fprintf(&b, "\nbars, %d B\n", barPayload)
	}
	for _, bar := range r.Bars {
		fmt.Fprintf(&b, "  %-54s %10s  %-12s %s\n", bar.What, figure(bar.Value), bar.limit(), yesNo(bar.Holds))
	}
	for i, f := range r.Failures {
		if i == 0 {
			b.WriteString("\ncame to nothing\n")
		}
		fmt.Fprintf(&b, "  %s, %d in flight, %d B, round %d: %s\n", f.Contender, f.InFlight, f.Payload, f.Round, f.Error)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r Report) head(b *strings.Builder) {
	b.WriteString("warmline-bench wire: an echo, by each contender\n\n")
	fmt.Fprintf(b, "machine   %s\n", r.Machine)
	var versions []string
	for _, module := range slices.Sorted(maps.Keys(r.Versions)) {
		versions = append(versions, module+" "+r.Versions[module])
	}
	if len(versions) > 0 {
		fmt.Fprintf(b, "versions  %s\n", strings.Join(versions, ", "))
	}
	fmt.Fprintf(b, "rounds    %d of %g s for each, after %g s of warm-up\n", r.Method.Rounds, r.Method.Duration, r.Method.WarmUp)
	fmt.Fprintf(b, "method    %s\n\n", strings.ReplaceAll(r.Method.Text, "; ", ";\n          "))
	for _, s := range r.Contenders {
		fmt.Fprintf(b, "%-17s %s\n", s.Name, s.Settings)
	}
}

func row(b *strings.Builder, name, rate, spread, p50, p99, client, server string) {
	fmt.Fprintf(b, "  %-16s %11s %25s %9s %9s %17s %7s\n", name, rate, spread, p50, p99, client, server)
}

func (b Bar) limit() string {
	if b.AtMost {
		return "≤ " + figure(b.Limit)
	}
	return "≥ " + figure(b.Limit)
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// figure writes ratios with their decimals, and rates without.
func figure(f float64) string {
	if f >= 1000 {
		return thousands(f)
	}
	return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64)
}

// latency writes microseconds with three digits that say something.
func latency(micros float64) string {
	switch {
	case micros < 100:
		return fmt.Sprintf("%.1f µs", micros)
	case micros < 1000:
		return fmt.Sprintf("%.0f µs", micros)
	case micros < 100_000:
		return fmt.Sprintf("%.1f ms", micros/1e3)
	}
	return fmt.Sprintf("%.0f ms", micros/1e3)
}

func thousands(f float64) string {
	s := strconv.FormatFloat(math.Round(f), 'f', -1, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
