package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"warmline.dev/bench/harness"
)

// answer is what stands first: what the figures say, computed from them.
type answer struct {
	Baseline  string      // what others are set against
	Headline  []headline  // how each contender did the job
	Columns   []column    // of the headline
	Lead      []string    // the headline's Warmline, in words
	Sentences []string    // what the other benches say
	Behind    []string    // where another contender is ahead of warmline
	Bars      []judgement // all of them, the missed first
	Held      int         // of Bars
	Failures  int         // measurements that came to nothing
	Cautions  []string    // why figures may be worth less than they look
	Missing   []string    // benches that were not run
}

// headline is one contender's line.
type headline struct {
	Contender string
	Ours      bool
	Figures   []compared
}

// column is a figure, and under which load.
type column struct{ Title, Load string }

// compared is a figure, and what it is of the baseline's.
type compared struct{ Figure, Times string }

// judgement is a bar with the bench that it is of.
type judgement struct {
	Bench string
	harness.Bar
}

// Limit is what was to be reached, and Value what was.
func (j judgement) Limit() string {
	if j.AtMost {
		return "≤ " + harness.Figure(j.Bar.Limit)
	}
	return "≥ " + harness.Figure(j.Bar.Limit)
}

func (j judgement) Value() string { return harness.Figure(j.Bar.Value) }

// used is what was reached as a share of the limit: up to 1 holds.
func (j judgement) used() float64 {
	of, by := j.Bar.Value, j.Bar.Limit
	if !j.AtMost {
		of, by = by, of
	}
	switch {
	case by > 0:
		return of / by
	case of == by:
		return 1
	}
	return math.Inf(1)
}

// Missed says by how much a bar was missed, and is empty if it holds.
func (j judgement) Missed() string {
	switch {
	case j.Holds:
		return ""
	case math.IsInf(j.used(), 0):
		return "missed"
	case j.AtMost:
		return fmt.Sprintf("%.0f %% above", 100*(j.Bar.Value/j.Bar.Limit-1))
	}
	return fmt.Sprintf("%.0f %% below", 100*(1-j.Bar.Value/j.Bar.Limit))
}

const ours = "warmline" // contenders of this name, and those that begin with it, are Warmline's

func isOurs(name string) bool { return name == ours || strings.HasPrefix(name, ours+"-") }

func (r *Report) answer() answer {
	a := answer{Missing: r.missing()}
	if r.Job != nil {
		a.job(r.Job.Results)
	}
	if r.Chain != nil {
		a.chain(r.Chain.Results)
	}
	if r.Scale != nil {
		a.scale(r.Scale.Results)
	}
	if r.Faults != nil {
		a.faults(r.Faults.Results)
	}
	if r.Wire != nil {
		a.wire(r.Wire.Results)
	}
	for _, b := range r.benches() {
		a.Failures += len(b.failures)
		for _, bar := range b.bars {
			a.Bars = append(a.Bars, judgement{b.Bench, bar})
			if bar.Holds {
				a.Held++
			}
		}
	}
	slices.SortStableFunc(a.Bars, func(x, y judgement) int {
		switch {
		case x.Holds == y.Holds:
			return 0
		case y.Holds:
			return -1
		}
		return 1
	})
	a.cautions(r)
	return a
}

// measure is a figure of the job that contenders are ranked by.
type measure struct {
	title    string // of a column
	sentence string // the beginning of one
	load     string
	of       func(JobResult) float64
	write    func(float64) string
	better   better
	in       []JobResult
}

func (m measure) value(contender string) (float64, bool) {
	i := slices.IndexFunc(m.in, func(r JobResult) bool { return r.Contender == contender })
	if i < 0 || m.of(m.in[i]) <= 0 {
		return 0, false
	}
	return m.of(m.in[i]), true
}

func (a *answer) job(results []JobResult) {
	names := contenders(results)
	if len(names) == 0 {
		return
	}
	a.Baseline = names[0]
	if slices.Contains(names, "http1") {
		a.Baseline = "http1"
	}
	measures := headlineMeasures(results, a.Baseline)
	for _, m := range measures {
		a.Columns = append(a.Columns, column{m.title, m.in[0].shortLoad()})
	}
	for _, name := range names {
		h := headline{Contender: name, Ours: isOurs(name)}
		for _, m := range measures {
			h.Figures = append(h.Figures, m.compared(name, a.Baseline))
		}
		a.Headline = append(a.Headline, h)
	}
	for _, m := range measures {
		a.lead(m, names)
	}
	a.behind(results)
}

// lead says a measure of Warmline's contenders, and of the baseline.
func (a *answer) lead(m measure, names []string) {
	var said []string
	for _, name := range names {
		v, ok := m.value(name)
		if !ok || !isOurs(name) && name != a.Baseline {
			continue
		}
		text := name + " " + m.write(v)
		if t := m.compared(name, a.Baseline).Times; t != "" {
			text += " (" + t + ")"
		}
		said = append(said, text)
	}
	if len(said) > 1 {
		a.Lead = append(a.Lead, fmt.Sprintf("%s, %s: %s.", m.sentence, m.load, strings.Join(said, ", ")))
	}
}

func (m measure) compared(name, baseline string) compared {
	v, ok := m.value(name)
	if !ok {
		return compared{"–", ""}
	}
	c := compared{Figure: m.write(v)}
	if base, ok := m.value(baseline); ok && name != baseline {
		c.Times = times(v / base)
	}
	return c
}

// times writes a ratio.
func times(f float64) string {
	if f >= 10 {
		return harness.Thousands(f) + " ×"
	}
	return fmt.Sprintf("%.2f ×", f)
}

// headlineMeasures are those that a reader asks for first: the median where the
// tiers are 1 ms apart, what a job costs and how many there are where they are
// together, p99 at a given rate.
func headlineMeasures(results []JobResult, baseline string) []measure {
	var ms []measure
	closed := closedLoads(results, lightest)
	if at := nearest(closed, 1); at != nil {
		ms = append(ms, measure{"median", "The median job", at[0].load(), func(r JobResult) float64 { return r.P50 }, harness.Latency, less, at})
	}
	if busy := closedLoads(results, heaviest); len(busy) > 0 {
		at := busy[0]
		ms = append(ms,
			measure{"CPU per job", "CPU that a job costs in both tiers", at[0].load(), func(r JobResult) float64 { return r.CPU }, harness.Latency, less, at},
			measure{"jobs/s", "Jobs per second", at[0].load(), func(r JobResult) float64 { return r.JobsPerSecond }, harness.Thousands, more, at})
	}
	// Of most contenders, the baseline among them; then where the tiers are nearest,
	// at the highest rate.
	var open []JobResult
	for _, at := range openLoads(results) {
		withBase := slices.ContainsFunc(at, func(r JobResult) bool { return r.Contender == baseline })
		if withBase && (len(at) > len(open) || len(at) == len(open) && at[0].RTT == open[0].RTT) {
			open = at
		}
	}
	if open != nil {
		ms = append(ms, measure{"p99", "What one job in a hundred takes longer than (p99)", open[0].load(), func(r JobResult) float64 { return r.P99 }, harness.Latency, less, open})
	}
	return ms
}

// level is what contenders may differ by and still be said to be level.
const level = 0.02

// behind says where a contender that is not Warmline's is ahead of warmline.
func (a *answer) behind(results []JobResult) {
	for _, at := range append(closedLoads(results, lightest), openLoads(results)...) {
		for _, m := range []measure{
			{"median", "", "", func(r JobResult) float64 { return r.P50 }, harness.Latency, less, at},
			{"p99", "", "", func(r JobResult) float64 { return r.P99 }, harness.Latency, less, at},
			{"CPU per job", "", "", func(r JobResult) float64 { return r.CPU }, harness.Latency, less, at},
		} {
			mine, ok := m.value(ours)
			if !ok {
				continue
			}
			var ahead []string
			for _, r := range at {
				if v, ok := m.value(r.Contender); ok && !isOurs(r.Contender) && v < mine*(1-level) {
					ahead = append(ahead, r.Contender+" "+m.write(v))
				}
			}
			if len(ahead) > 0 {
				a.Behind = append(a.Behind, fmt.Sprintf("%s, %s: warmline %s, %s", m.title, at[0].load(), m.write(mine), strings.Join(ahead, ", ")))
			}
		}
	}
}

func (a *answer) say(format string, args ...any) {
	a.Sentences = append(a.Sentences, fmt.Sprintf(format, args...))
}

// chain says what the longest chain takes.
func (a *answer) chain(results []ChainResult) {
	for _, shape := range []string{shapeChain, shapeFan} {
		most := 0
		for _, r := range results {
			if r.Shape == shape {
				most = max(most, r.N)
			}
		}
		var said []string
		rtt := -1.0
		for _, r := range results {
			if r.Shape == shape && r.N == most && (rtt < 0 || r.RTT == rtt) && (isOurs(r.Contender) || r.Contender == "http1") {
				rtt = r.RTT
				said = append(said, r.Contender+" "+harness.Latency(r.P50))
			}
		}
		switch {
		case len(said) == 0:
		case shape == shapeChain:
			a.say("A chain of %d questions, each of which needs the answer before, %s between the tiers (median): %s.", most, millis(rtt), strings.Join(said, ", "))
		default:
			a.say("%d questions at once, %s between the tiers (median): %s.", most, millis(rtt), strings.Join(said, ", "))
		}
	}
}

// scale says what many cost.
func (a *answer) scale(results []ScaleResult) {
	for _, of := range []string{"lines", "conversations"} {
		mine := slices.DeleteFunc(slices.Clone(results), func(r ScaleResult) bool { return r.Contender != ours || r.Of != of })
		if len(mine) < 2 {
			continue
		}
		slices.SortFunc(mine, func(x, y ScaleResult) int { return cmp.Compare(x.N, y.N) })
		first, last := mine[0], mine[len(mine)-1]
		a.say("With %s %s open, one more costs %s in the adapter and %s in the edge, and a job %s of CPU (with %s: %s).",
			harness.Thousands(float64(last.N)), of, size(last.AdapterBytesEach), size(last.EdgeBytesEach),
			harness.Latency(last.CPU), harness.Thousands(float64(first.N)), harness.Latency(first.CPU))
	}
}

// faults says what failed, in each fault.
func (a *answer) faults(results []FaultsResult) {
	for _, fault := range inOrder(results, func(r FaultsResult) string { return r.Fault }) {
		var said []string
		for _, r := range results {
			if r.Fault == fault && (fault != "none" || r.ErrorRatio > 0) {
				said = append(said, r.Contender+" "+percent(r.ErrorRatio))
			}
		}
		if len(said) > 0 {
			a.say("Jobs that failed, %s: %s.", faultCalled(fault), strings.Join(said, ", "))
		}
	}
}

// wire says what the engine does, where most is in flight on one connection.
func (a *answer) wire(results []WireResult) {
	const inFlight, payload = 128, 256
	rate := func(name string) float64 {
		for _, r := range results {
			if r.Contender == name && r.InFlight == inFlight && r.Payload == payload {
				return r.OpsPerSecond
			}
		}
		return 0
	}
	if mine, http := rate(ours), rate("http1"); mine > 0 && http > 0 {
		a.say("The engine alone, an echo of %d B with %d in flight: warmline %s requests/s, http1 %s (%s).",
			payload, inFlight, harness.Thousands(mine), harness.Thousands(http), times(mine/http))
	}
}

// cautions says what makes figures worth less.
func (a *answer) cautions(r *Report) {
	if r.Note != "" {
		a.Cautions = append(a.Cautions, r.Note)
	}
	// Later benches find the load of those before them.
	m := r.Machine
	if first := r.first(); m.Load == "" && first != nil {
		m = first.Machine
	}
	var load float64
	if _, err := fmt.Sscan(m.Load, &load); err == nil && load > float64(m.Cores)/2 {
		a.Cautions = append(a.Cautions, fmt.Sprintf("The machine was busy before the first bench: load %s on %d cores.", m.Load, m.Cores))
	}
	var short []string
	for _, b := range r.benches() {
		if b.Method.Rounds > 0 && b.Method.Rounds < 3 && b.results > 0 {
			short = append(short, b.Bench)
		}
	}
	if len(short) > 0 {
		a.Cautions = append(a.Cautions, "Fewer than three rounds of "+strings.Join(short, ", ")+": their medians say little.")
	}
	if r.Job != nil {
		n := 0
		for _, result := range r.Job.Results {
			if result.ErrorRatio > 0 {
				n++
			}
		}
		if n > 0 {
			a.Cautions = append(a.Cautions, fmt.Sprintf("job: in %d of %d rows jobs failed or could not be begun; their latencies are of the others.", n, len(r.Job.Results)))
		}
	}
	const wide = 0.2
	for _, t := range r.tables() {
		n, widest, of := 0, 0.0, ""
		for _, row := range t.rows {
			i, s := widestOf(row)
			if s > wide {
				n++
			}
			if s > widest {
				widest, of = s, t.figures[i].title+" of "+strings.TrimSuffix(row.of+", "+row.load, ", ")
			}
		}
		if n > 0 {
			a.Cautions = append(a.Cautions, fmt.Sprintf("%s: in %d of %d rows the rounds differ by more than %.0f %%, most in %s (%.0f %%).",
				t.bench, n, len(t.rows), 100*wide, of, 100*widest))
		}
	}
}

// widestOf is the figure of a row of which the rounds say the most different
// things, and how different.
func widestOf(r row) (figure int, spread float64) {
	for i, c := range r.cells {
		if c.spread > spread {
			figure, spread = i, c.spread
		}
	}
	return figure, spread
}
