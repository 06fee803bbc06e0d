package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"warmline.dev/bench/report"
)

// part is a bench as a report has it: the command line by which it is run, and about
// how long that takes.
type part struct {
	name        string
	full, quick string // flags
	takes       [2]time.Duration
}

// parts are run in this order.
var parts = []part{
	{
		"job", "", "--rounds 1 --duration 600ms --warm-up 200ms --rtt 0s,1ms",
		[2]time.Duration{7 * time.Minute, 60 * time.Second},
	},
	{
		"chain", "", "--rounds 1 --duration 150ms --warm-up 50ms --depth 1,2,4,8 --width 1,10,100",
		[2]time.Duration{3 * time.Minute, 40 * time.Second},
	},
	{
		"scale", "", "--rounds 1 --lines 1,100,1000 --conversations 1,1000,10000",
		[2]time.Duration{90 * time.Second, 30 * time.Second},
	},
	{
		"faults", "", "--rounds 1",
		[2]time.Duration{3 * time.Minute, 80 * time.Second},
	},
	{
		"pieces", "", "--rounds 1 --duration 200ms",
		[2]time.Duration{45 * time.Second, 15 * time.Second},
	},
	{
		"wire", "", "--rounds 1 --duration 300ms --warm-up 100ms --in-flight 1,128 --payload 256",
		[2]time.Duration{6 * time.Minute, 20 * time.Second},
	},
}

func partNames() []string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// args is the command line.
func (p part) args(quick bool) []string {
	flags := p.full
	if quick {
		flags = p.quick
	}
	return append([]string{p.name, "--json"}, strings.Fields(flags)...)
}

func (p part) about(quick bool) time.Duration {
	if quick {
		return p.takes[1]
	}
	return p.takes[0]
}

func reportCommand() *cobra.Command {
	var quick bool
	var benches []string
	var out, against string
	cmd := &cobra.Command{
		Use:   "report",
		Short: "All benches, as a page with charts and as one JSON object",
		Long: `Runs all benches one after another and writes what they came to into a
directory: index.html, a page that needs nothing else; its charts as SVG and PNG,
each light and dark; and report.json. It takes about half an hour, with --quick less
than five minutes: one round of less, so that its figures are rougher.

Nothing else should run on the machine meanwhile.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var chosen []part
			for _, name := range benches {
				i := slices.IndexFunc(parts, func(p part) bool { return p.name == name })
				if i < 0 {
					return fmt.Errorf("no bench %q: there are %s", name, strings.Join(partNames(), ", "))
				}
				chosen = append(chosen, parts[i])
			}
			if len(chosen) == 0 {
				return fmt.Errorf("nothing to measure: expected at least one of %s", strings.Join(partNames(), ", "))
			}
			var earlier *report.Report
			if against != "" {
				var err error
				if earlier, err = report.Read(against); err != nil { // before anything is measured
					return err
				}
			}
			if err := os.MkdirAll(out, 0o755); err != nil { // before, too
				return err
			}
			r, wrong := measureParts(cmd.Context(), chosen, quick, cmd.ErrOrStderr())
			if r == nil {
				return wrong
			}
			return failed(errors.Join(writeReport(r, earlier, out, cmd.OutOrStdout()), wrong))
		},
	}
	f := cmd.Flags()
	f.BoolVar(&quick, "quick", false, "one round of the most important; less than five minutes in all")
	f.StringSliceVar(&benches, "benches", partNames(), "what is run, separated by commas")
	f.StringVar(&out, "out", "warmline-report", "directory for the page, made if there is none")
	f.StringVar(&against, "against", "", "an earlier report.json to compare with: differences beyond the noise are marked")
	return cmd
}

// measureParts runs the benches. The report is nil if the context ended, or nothing
// came of any of them; the error tells what went wrong.
func measureParts(ctx context.Context, chosen []part, quick bool, stderr io.Writer) (r *report.Report, wrong error) {
	r = report.New()
	if quick {
		r.Note = "Measured with --quick: one round of each, so the figures are rough."
	}
	there := 0
	for i, p := range chosen {
		left := time.Duration(0)
		for _, p := range chosen[i:] {
			left += p.about(quick)
		}
		args := p.args(quick)
		fmt.Fprintf(stderr, "%d of %d, about %v left in all: warmline-bench %s\n", i+1, len(chosen), left.Round(10*time.Second), strings.Join(args, " "))
		var out bytes.Buffer
		err := execute(ctx, args, strings.NewReader(""), &out, stderr)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("%s: %w", p.name, err))
		}
		if out.Len() == 0 {
			continue
		}
		if err := r.Add(json.RawMessage(out.Bytes())); err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("%s: %w", p.name, err))
			continue
		}
		there++
	}
	if there == 0 {
		return nil, failed(wrong)
	}
	return r, wrong
}

// writeReport writes the files, and for people what they say in short.
func writeReport(r, earlier *report.Report, dir string, stdout io.Writer) error {
	var c *report.Comparison
	if earlier != nil {
		c = report.Compare(r, earlier)
	}
	if err := r.Write(dir, c); err != nil {
		return err
	}
	if err := r.WriteSummary(stdout); err != nil {
		return err
	}
	if c != nil {
		if err := c.WriteTable(stdout); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(stdout, "\n%s\n", filepath.Join(dir, report.PageFile))
	return err
}
