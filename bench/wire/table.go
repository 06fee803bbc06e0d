package wire

import (
	"fmt"
	"io"
	"strings"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/wire/contender"
)

// WriteTable writes a report for people.
func (r Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	r.Write(&b, "an echo, by each contender")
	var last contender.Load
	for _, res := range r.Results {
		if res.Load != last {
			last = res.Load
			fmt.Fprintf(&b, "\n%d B, %d in flight\n", last.Payload, last.InFlight)
			row(&b, "contender", "requests/s", "slowest – fastest round", "p50", "p99", "allocs/op client", "server")
		}
		spread := harness.Thousands(res.OpsMin) + " – " + harness.Thousands(res.OpsMax)
		row(&b, res.Contender, harness.Thousands(res.OpsPerSecond), spread, harness.Latency(res.P50), harness.Latency(res.P99),
			fmt.Sprintf("%.1f", res.ClientAllocs), fmt.Sprintf("%.1f", res.ServerAllocs))
	}
	harness.WriteBars(&b, fmt.Sprintf("bars, %d B", barPayload), r.Bars)
	for i, f := range r.Failures {
		if i == 0 {
			b.WriteString("\ncame to nothing\n")
		}
		fmt.Fprintf(&b, "  %s, %d in flight, %d B, round %d: %s\n", f.Contender, f.InFlight, f.Payload, f.Round, f.Error)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func row(b *strings.Builder, name, rate, spread, p50, p99, client, server string) {
	fmt.Fprintf(b, "  %-16s %11s %25s %9s %9s %17s %7s\n", name, rate, spread, p50, p99, client, server)
}
