package report

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"warmline.dev/bench/harness"
)

// What a report may hold. A real one has some hundred results.
const (
	maxResults = 5000
	maxMoments = 5000 // of one timeline
	maxBars    = 500
	maxOthers  = 1000 // failures, contenders, versions, kinds of errors
	maxName    = 80   // bytes of what is drawn or compared
	maxText    = 4096 // bytes of what is only quoted
	maxFigure  = 1e15
)

// result is one of a bench.
type result interface {
	names() []string    // that are drawn and compared
	figures() []float64 // none below 0
}

func (r WireResult) names() []string { return []string{r.Contender} }
func (r WireResult) figures() []float64 {
	return []float64{float64(r.InFlight), float64(r.Payload), r.OpsPerSecond, r.OpsMin, r.OpsMax, r.P50, r.P99, r.ClientAllocs, r.ServerAllocs}
}

func (r JobResult) names() []string { return []string{r.Contender, r.Mode} }
func (r JobResult) figures() []float64 {
	return []float64{
		r.RTT, r.Rate, float64(r.Concurrency), r.JobsPerSecond, r.JobsMin, r.JobsMax, r.P50, r.P50Min, r.P50Max, r.P90, r.P99, r.P999,
		r.CPU, r.CPUMin, r.CPUMax, r.CPUAdapter, r.CPUEdge, r.AllocsAdapter, r.AllocsEdge, r.Bytes, r.ErrorRatio,
	}
}

func (r ChainResult) names() []string { return []string{r.Contender, r.Shape} }
func (r ChainResult) figures() []float64 {
	return []float64{r.RTT, float64(r.N), r.P50, r.P50Min, r.P50Max, r.P99}
}

func (r ScaleResult) names() []string { return []string{r.Contender, r.Of} }
func (r ScaleResult) figures() []float64 {
	return []float64{
		float64(r.N), r.CPU, r.CPUMin, r.CPUMax, r.P50, r.P50Min, r.P50Max, r.P99,
		r.AdapterBytes, r.EdgeBytes, math.Abs(r.AdapterBytesEach), math.Abs(r.EdgeBytesEach),
	}
}

func (r FaultsResult) names() []string {
	names := []string{r.Contender, r.Fault}
	for _, e := range r.Events {
		names = append(names, e.What)
	}
	return names
}

func (r FaultsResult) figures() []float64 {
	figures := []float64{r.Rate, r.JobsPerSecond, r.JobsMin, r.JobsMax, r.ErrorRatio, r.P50, r.P99, r.P99Min, r.P99Max, float64(r.Rounds)}
	for _, e := range r.Events {
		figures = append(figures, e.At)
	}
	for _, n := range r.Errors {
		figures = append(figures, n)
	}
	for _, m := range r.Timeline {
		figures = append(figures, m.At, m.OK, m.Failed, m.P99)
	}
	return figures
}

func (r PiecesResult) names() []string {
	if r.Group == "" {
		return []string{r.Piece}
	}
	return []string{r.Piece, r.Group}
}

func (r PiecesResult) figures() []float64 {
	return []float64{r.Time, r.Min, r.Max, r.CPU, r.Allocs, r.Bytes}
}

// check says what can't be in a bench's report.
func (b *Bench[R]) check() error {
	err := checkHead(b.Head)
	if err == nil {
		err = atMost("results", len(b.Results), maxResults)
	}
	if err == nil {
		err = atMost("bars", len(b.Bars), maxBars)
	}
	if err == nil {
		err = atMost("groups and figures", len(b.Groups)+len(b.Figures), maxOthers)
	}
	if err == nil {
		err = atMost("failures", len(b.Failures), maxOthers)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", b.Bench, err)
	}
	for i, r := range b.Results {
		if err := checkResult(any(r).(result)); err != nil {
			return fmt.Errorf("%s: result %d: %w", b.Bench, i+1, err)
		}
	}
	for i, bar := range b.Bars {
		err := checkName(bar.What)
		if err == nil {
			err = checkFigures(math.Abs(bar.Value), math.Abs(bar.Limit))
		}
		if err != nil {
			return fmt.Errorf("%s: bar %d: %w", b.Bench, i+1, err)
		}
	}
	for i, f := range b.Figures {
		err := checkName(f.What)
		if err == nil {
			err = checkFigures(math.Abs(f.Value))
		}
		if err != nil {
			return fmt.Errorf("%s: figure %d: %w", b.Bench, i+1, err)
		}
	}
	return nil
}

func checkHead(h harness.Head) error {
	if err := atMost("contenders", len(h.Contenders), maxOthers); err != nil {
		return err
	}
	if err := atMost("versions", len(h.Versions), maxOthers); err != nil {
		return err
	}
	texts := []string{h.Method.Text}
	for _, c := range h.Contenders {
		if err := checkName(c.Name); err != nil {
			return err
		}
		texts = append(texts, c.Settings)
	}
	for module, version := range h.Versions {
		texts = append(texts, module, version)
	}
	for _, text := range texts {
		if err := atMost("bytes of text", len(text), maxText); err != nil {
			return err
		}
	}
	if err := checkFigures(float64(h.Method.Rounds), h.Method.Duration, h.Method.WarmUp); err != nil {
		return err
	}
	return checkMachine(h.Machine)
}

// checkMachine: what it ran on is printed to terminals and drawn, too.
func checkMachine(m harness.Machine) error {
	for _, text := range []string{m.CPU, m.System, m.Go, m.Load} {
		if err := checkName(text); text != "" && err != nil {
			return fmt.Errorf("machine: %w", err)
		}
	}
	return checkFigures(float64(m.Cores))
}

func checkResult(r result) error {
	for _, name := range r.names() {
		if err := checkName(name); err != nil {
			return err
		}
	}
	if f, ok := r.(FaultsResult); ok {
		if err := atMost("moments", len(f.Timeline), maxMoments); err != nil {
			return err
		}
		if err := atMost("events", len(f.Events), maxOthers); err != nil {
			return err
		}
		if err := atMost("kinds of errors", len(f.Errors), maxOthers); err != nil {
			return err
		}
		for i, m := range f.Timeline {
			if i > 0 && m.At <= f.Timeline[i-1].At {
				return fmt.Errorf("a timeline that goes back, at %g ms", m.At)
			}
		}
	}
	return checkFigures(r.figures()...)
}

func checkFigures(figures ...float64) error {
	for _, f := range figures {
		if !(f >= 0 && f <= maxFigure) {
			return fmt.Errorf("a figure of %g, expected 0 to %g", f, maxFigure)
		}
	}
	return nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("a name is missing")
	case len(name) > maxName:
		return fmt.Errorf("a name of %d bytes, at most %d", len(name), maxName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("a name that can't be printed: %q", name)
	}
	return nil
}

// checkNote: a note is printed, and may be long.
func checkNote(note string) error {
	if note == "" {
		return nil
	}
	if strings.ContainsFunc(note, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("a note that can't be printed: %.80q", note)
	}
	return atMost("bytes of a note", len(note), maxText)
}

func atMost(what string, n, most int) error {
	if n > most {
		return fmt.Errorf("%d %s, at most %d", n, what, most)
	}
	return nil
}
