package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Rule says which differences are beyond the noise, for people.
const Rule = "A difference counts if it is larger than what the rounds of either run differ by (slowest to fastest, of the median), " +
	"and than 5 % for rates and bytes, 10 % for medians, p90, CPU, memory and pieces, 25 % for p99 and p99.9, 0.5 and 5 % for allocations, " +
	"0.1 percentage points and 25 % for what failed. Where the rounds' spread is not known, the second part decides alone."

// sameRate is by how much rates may differ at which jobs arrive: a benchmark may
// choose them by what the machine can do.
const sameRate = 0.1

// noise is the largest difference that says nothing: as a share of the earlier
// figure, and by itself.
type noise struct{ share, least float64 }

func relative(share float64) noise { return noise{share: share} }

// Verdict is what a difference says.
type Verdict string

// What a difference may say.
const (
	Same   Verdict = ""
	Better Verdict = "better"
	Worse  Verdict = "worse"
)

// Difference is one figure of two runs.
type Difference struct {
	Bench, Load, Of, Figure string // Load and Of as in the tables; Load may be empty
	New, Old                string // with their units
	Change                  string // as a percentage, or empty where that says nothing
	Verdict                 Verdict
}

// Comparison is a report beside an earlier one.
type Comparison struct {
	Differences []Difference // every figure that both have, in the order of the tables
	Cautions    []string     // why the runs may not be comparable
	OnlyNew     int          // rows that the earlier one has not
	OnlyOld     int          // rows that the new one has not
	OtherRate   int          // rows under which jobs arrived at other rates
	Earlier     time.Time    // when the earlier one was made

	at map[place]int // in Differences
}

// place is where a figure stands.
type place struct{ bench, load, of, figure string }

// Compare sets a report beside an earlier one. What only one of them has is counted
// and not compared.
func Compare(now, earlier *Report) *Comparison {
	c := &Comparison{Cautions: cautions(now, earlier), Earlier: earlier.Date, at: map[place]int{}}
	type line struct{ bench, key, of string }
	lineOf := func(t table, r row) line { return line{t.bench, cmp.Or(r.key, r.load), r.of} }
	before := map[line]row{}
	for _, t := range earlier.tables() {
		for _, r := range t.rows {
			before[lineOf(t, r)] = r
		}
	}
	seen := map[line]bool{}
	for _, t := range now.tables() {
		for _, r := range t.rows {
			key := lineOf(t, r)
			old, there := before[key]
			if seen[key] {
				continue // the first one counts
			}
			seen[key] = true
			if !there {
				c.OnlyNew++
				continue
			}
			if math.Abs(r.rate-old.rate) > sameRate*old.rate {
				c.OtherRate++
				continue
			}
			for i, f := range t.figures {
				at := place{t.bench, r.load, r.of, fmt.Sprint(i)}
				c.at[at] = len(c.Differences)
				d := f.compare(r.cells[i], old.cells[i])
				d.Bench, d.Load, d.Of, d.Figure = t.bench, r.load, r.of, f.title
				c.Differences = append(c.Differences, d)
			}
		}
	}
	for key := range before {
		if !seen[key] {
			c.OnlyOld++
		}
	}
	return c
}

// find returns how a figure differs, by its column.
func (c *Comparison) find(bench string, r row, column int) (Difference, bool) {
	if c == nil {
		return Difference{}, false
	}
	i, ok := c.at[place{bench, r.load, r.of, fmt.Sprint(column)}]
	if !ok {
		return Difference{}, false
	}
	return c.Differences[i], true
}

// Marked are the differences that are beyond the noise.
func (c *Comparison) Marked() []Difference {
	return slices.DeleteFunc(slices.Clone(c.Differences), func(d Difference) bool { return d.Verdict == Same })
}

func (f figure) compare(now, old cell) Difference {
	d := Difference{New: f.write(now.value), Old: f.write(old.value)}
	difference := now.value - old.value
	if old.value != 0 {
		d.Change = change(difference / math.Abs(old.value))
	}
	share := max(f.noise.share, now.spread, old.spread)
	if math.Abs(difference) <= max(share*math.Abs(old.value), f.noise.least) {
		return d
	}
	switch {
	case (f.better == less) == (difference < 0):
		d.Verdict = Better
	default:
		d.Verdict = Worse
	}
	return d
}

// cautions are what differs between two runs besides what was measured.
func cautions(now, earlier *Report) []string {
	var said []string
	differ := func(what, now, before string) {
		text := fmt.Sprintf("%s: %s, and before: %s", what, orNothing(now), orNothing(before))
		if now != before && !slices.Contains(said, text) {
			said = append(said, text)
		}
	}
	machine := func(r *Report) string {
		m := r.Machine
		m.Load = ""
		return m.String()
	}
	differ("Another machine", machine(now), machine(earlier))
	before := map[string]bench{}
	for _, b := range earlier.benches() {
		before[b.Bench] = b
	}
	for _, b := range now.benches() {
		old, ok := before[b.Bench]
		if !ok {
			continue
		}
		method := func(b bench) string {
			return fmt.Sprintf("%d rounds of %g s", b.Method.Rounds, b.Method.Duration)
		}
		differ(b.Bench+" was run otherwise", method(b), method(old))
		for _, module := range slices.Sorted(maps.Keys(b.Versions)) {
			if v, ok := old.Versions[module]; ok {
				differ("Another version of "+module, b.Versions[module], v)
			}
		}
	}
	return said
}

func orNothing(s string) string {
	if strings.TrimSpace(s) == "" {
		return "not known"
	}
	return s
}

// change writes a share as a percentage with its sign.
func change(share float64) string {
	s := fmt.Sprintf("%.0f %%", 100*math.Abs(share))
	switch {
	case s == "0 %":
		return s
	case share < 0:
		return "−" + s
	}
	return "+" + s
}
