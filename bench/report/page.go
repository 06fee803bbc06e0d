package report

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/report/chart"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"unbroken": unbroken}).Parse(pageHTML))

// page is what the page shows.
type page struct {
	Title, Date, Machine string
	Light, Dark, Style   template.CSS
	Answer               answer
	Comparison           *Comparison
	Earlier, Rule        string
	Compared             string // how many figures
	Marked               []Difference
	Sections             []section
}

// section is one bench's part of the page.
type section struct {
	Bench, Title, What                      string
	Charts                                  []pageChart
	Bars                                    []judgement
	Table                                   *pageTable
	Errors                                  []pageError
	Events                                  []pageEvent
	Figures                                 []pageFigure
	Failures                                []string
	Date, Machine, Versions, Rounds, Method string
	Settings                                []harness.Settings
}

type pageChart struct {
	Title, Sub, Read string
	Wide, Narrow     template.HTML
}

type pageTable struct {
	Of      string
	Columns []string
	Rows    []pageRow
	Count   int
	Open    bool // small enough to be seen at once
}

type pageRow struct {
	Load, Name string
	Width      int // in columns, of the heading that has the load; 0: it is the same as of the row before
	Ours       bool
	Cells      []pageCell
}

type pageCell struct {
	Figure, Spread, Was, Change string
	Verdict                     Verdict
}

type pageEvent struct{ Of, At, What string }

type pageFigure struct{ What, Value string }

type pageError struct{ Of, Times, Text string }

var titles = map[string]struct{ title, what string }{
	"job":    {"The job", "The device request that counts: profile → recommendations → titles and ratings of what was recommended, with warm caches, by every contender against the same edge."},
	"chain":  {"Chains and fans", "How latency grows with how many questions one job asks: one after another, where each needs the answer to the one before, and all at once."},
	"scale":  {"Scale", "What a job and the memory of both tiers come to while more and more lines or conversations are open."},
	"faults": {"Faults", "Jobs at a steady rate while something breaks: what fails, and how long the others wait."},
	"pieces": {"Pieces", "What the parts cost by themselves, against the bars that the design set them."},
	"wire":   {"The wire", "The protocol alone: an echo over loopback TCP, without any work behind it."},
}

// page makes the page; c may be nil.
func (r *Report) page(drawings []drawing, c *Comparison) ([]byte, error) {
	p := page{
		Title: "Warmline, measured against what else could be used", Date: when(r.Date), Machine: machineCalled(r.Machine),
		Light: template.CSS(chart.Light.Variables()), Dark: template.CSS(chart.Dark.Variables()), Style: template.CSS(pageCSS),
		Answer: r.answer(), Comparison: c, Rule: Rule,
	}
	if c != nil {
		p.Earlier, p.Marked, p.Compared = when(c.Earlier), c.Marked(), harness.Thousands(float64(len(c.Differences)))
	}
	tables := r.tables()
	for i, b := range r.benches() {
		s := section{
			Bench: b.Bench, Title: titles[b.Bench].title, What: titles[b.Bench].what,
			Table: newPageTable(tables[i], c), Failures: failuresOf(b), Bars: barsOf(b),
			Date: when(b.Date), Machine: b.Machine.String(), Versions: versionsOf(b), Method: b.Method.Text, Settings: append(slices.Clone(b.Contenders), b.groups...),
			Rounds: fmt.Sprintf("%d of %g s for each, after %g s of warm-up", b.Method.Rounds, b.Method.Duration, b.Method.WarmUp),
		}
		if b.Bench == "faults" {
			s.Errors, s.Events = errorsOf(r.Faults.Results), eventsOf(r.Faults.Results)
		}
		for _, d := range drawings {
			if d.Bench == b.Bench {
				s.Charts = append(s.Charts, pageChart{
					d.Title, d.Sub, d.Read,
					template.HTML(d.Inline(chart.Wide)), template.HTML(d.Inline(chart.Narrow)), // they escape what is in them
				})
			}
		}
		for _, f := range b.figures {
			s.Figures = append(s.Figures, pageFigure{f.What, strings.TrimSpace(harness.Figure(f.Value) + " " + f.Unit)})
		}
		p.Sections = append(p.Sections, s)
	}
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, p)
	return b.Bytes(), err
}

func when(t time.Time) string {
	if t.IsZero() {
		return "at a time that is not known"
	}
	return t.UTC().Format("2 January 2006, 15:04 UTC")
}

func newPageTable(t table, c *Comparison) *pageTable {
	const few = 16
	p := &pageTable{Of: t.of, Count: len(t.rows), Open: len(t.rows) <= few}
	for _, f := range t.figures {
		p.Columns = append(p.Columns, f.title)
	}
	last := ""
	for _, r := range t.rows {
		row := pageRow{Load: r.load, Name: r.of, Ours: isOurs(r.of)}
		if r.load != last {
			row.Width = 1 + len(t.figures)
		}
		last = r.load
		for i, f := range t.figures {
			cell := pageCell{Figure: f.write(r.cells[i].value)}
			if r.cells[i].spread > 0 && !r.cells[i].borrowed {
				cell.Spread = fmt.Sprintf("rounds: %.0f %%", 100*r.cells[i].spread)
			}
			if d, ok := c.find(t.bench, r, i); ok {
				cell.Was, cell.Change, cell.Verdict = d.Old, d.Change, d.Verdict
			}
			row.Cells = append(row.Cells, cell)
		}
		p.Rows = append(p.Rows, row)
	}
	return p
}

func barsOf(b bench) []judgement {
	var js []judgement
	for _, bar := range b.bars {
		js = append(js, judgement{b.Bench, bar})
	}
	return js
}

// failuresOf are a bench's failures, for people: what it was, and the error.
func failuresOf(b bench) []string {
	var said []string
	for _, f := range b.failures {
		var what []string
		for _, key := range slices.Sorted(maps.Keys(f)) {
			if key != "error" {
				what = append(what, fmt.Sprintf("%s %v", strings.ReplaceAll(key, "_", " "), f[key]))
			}
		}
		said = append(said, fmt.Sprintf("%s: %v", strings.Join(what, ", "), f["error"]))
	}
	return said
}

func versionsOf(b bench) string {
	var versions []string
	for _, module := range slices.Sorted(maps.Keys(b.Versions)) {
		versions = append(versions, module+" "+b.Versions[module])
	}
	return strings.Join(versions, ", ")
}

func eventsOf(results []FaultsResult) []pageEvent {
	var events []pageEvent
	for _, r := range results {
		for _, e := range r.Events {
			events = append(events, pageEvent{r.Contender + ", " + faultCalled(r.Fault), fmt.Sprintf("%.1f s", e.At/1000), e.What})
		}
	}
	return events
}

// errorsOf are the errors of jobs, the most frequent of each run first.
func errorsOf(results []FaultsResult) []pageError {
	const most = 10 // of one run
	var errs []pageError
	for _, r := range results {
		texts := slices.SortedFunc(maps.Keys(r.Errors), func(a, b string) int {
			return cmp.Or(cmp.Compare(r.Errors[b], r.Errors[a]), strings.Compare(a, b))
		})
		for _, text := range texts[:min(most, len(texts))] {
			errs = append(errs, pageError{r.Contender + ", " + faultCalled(r.Fault), harness.Thousands(r.Errors[text]), text})
		}
	}
	return errs
}

// unbroken keeps figures and their units on one line.
func unbroken(s string) string { return beforeUnit.ReplaceAllString(s, "$1\u00a0$2") }

var beforeUnit = regexp.MustCompile(`(\d) (×|%|µs|ms|ns|B|KiB|MiB|GiB)`)
