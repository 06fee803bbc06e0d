package report

import (
	"fmt"
	"strconv"

	"warmline.dev/bench/harness"
)

// figure is a kind of figure: a column of a table.
type figure struct {
	title  string
	write  func(float64) string
	better better
	noise  noise
}

// better is what is better.
type better int

const (
	less better = iota
	more
)

// cell is one figure of one row.
type cell struct {
	value    float64
	spread   float64 // of the rounds, as a share of the value; 0: not known
	borrowed bool    // the spread is that of another figure of the row
}

// row is what was measured of one thing.
type row struct {
	load  string // rows of the same load stand together
	of    string // the contender, or what else it is of
	cells []cell // as many as the table has figures

	key  string  // what it is called in other runs, if that is not the load
	rate float64 // of what arrives; rows whose rates differ can't be compared. 0: nothing arrives
}

// table is all of a bench's results.
type table struct {
	bench   string
	of      string // what stands in the first column
	figures []figure
	rows    []row
}

// ofEach makes a table of results. Rows of the same load come together, in the
// order in which the loads first come.
func ofEach[R any](bench, of string, figures []figure, results []R, rowOf func(R) row) table {
	t := table{bench: bench, of: of, figures: figures}
	under := map[string][]row{}
	var all []row
	for _, r := range results {
		all = append(all, rowOf(r))
	}
	for _, r := range all {
		under[r.load] = append(under[r.load], r)
	}
	for _, load := range inOrder(all, func(r row) string { return r.load }) {
		t.rows = append(t.rows, under[load]...)
	}
	return t
}

// Kinds of figures. The noise is what a difference has to be beyond where the
// rounds say nothing of their spread, or less.
var (
	perSecond = figure{write: harness.Thousands, better: more, noise: relative(0.05)}
	median    = figure{title: "p50", write: harness.Latency, better: less, noise: relative(0.10)}
	tail      = figure{title: "p99", write: harness.Latency, better: less, noise: relative(0.25)}
	cpu       = figure{title: "CPU", write: known(harness.Latency), better: less, noise: relative(0.10)}
	allocs    = figure{write: oneDecimal, better: less, noise: noise{share: 0.05, least: 0.5}}
	failed    = figure{"failed", percent, less, noise{share: 0.25, least: 0.001}}
	bytesUsed = figure{write: size, better: less, noise: relative(0.05)}
)

// known writes figures of which 0 says that nobody knows.
func known(write func(float64) string) func(float64) string {
	return func(f float64) string {
		if f == 0 {
			return "–"
		}
		return write(f)
	}
}

func (f figure) called(title string) figure {
	f.title = title
	return f
}

func spreadOf(value, least, most float64) cell {
	c := cell{value: value}
	if value > 0 && most > least {
		c.spread = (most - least) / value
	}
	return c
}

// withSpread gives cells that have none of their own that of another.
func withSpread(of cell, cells ...cell) []cell {
	all := []cell{of}
	for _, c := range cells {
		if c.spread == 0 {
			c.spread, c.borrowed = of.spread, true
		}
		all = append(all, c)
	}
	return all
}

func oneDecimal(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// size writes bytes.
func size(bytes float64) string {
	sign := ""
	if bytes < 0 {
		sign, bytes = "−", -bytes
	}
	switch {
	case bytes < 10_000:
		return sign + harness.Thousands(bytes) + " B"
	case bytes < 10<<20:
		return sign + strconv.FormatFloat(bytes/(1<<10), 'f', 0, 64) + " KiB"
	case bytes < 10<<30:
		return sign + strconv.FormatFloat(bytes/(1<<20), 'f', 0, 64) + " MiB"
	}
	return sign + strconv.FormatFloat(bytes/(1<<30), 'f', 0, 64) + " GiB"
}

// nanos writes nanoseconds.
func nanos(f float64) string {
	switch {
	case f < 100:
		return oneDecimal(f) + " ns"
	case f < 10_000:
		return harness.Thousands(f) + " ns"
	}
	return harness.Latency(f / 1e3)
}

// percent writes a share with two digits that say something.
func percent(share float64) string {
	switch p := share * 100; {
	case p == 0:
		return "0 %"
	case p < 0.001:
		return "< 0.001 %"
	case p < 0.995:
		return strconv.FormatFloat(p, 'g', 2, 64) + " %"
	case p < 9.95:
		return strconv.FormatFloat(p, 'f', 1, 64) + " %"
	default:
		return strconv.FormatFloat(p, 'f', 0, 64) + " %"
	}
}

// millis writes a round trip's time.
func millis(ms float64) string { return fmt.Sprintf("%g ms", ms) }
