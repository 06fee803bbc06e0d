package harness

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Progress shows how far a bench is and what is left: a bar on a terminal, and
// elsewhere a line per round.
type Progress struct {
	w             io.Writer
	bar           *progressbar.ProgressBar // nil: not a terminal
	started       time.Time
	rounds, round int
	steps, done   int
}

// NewProgress shows the progress of so many rounds of so many steps on w. It is
// for one goroutine.
func NewProgress(w io.Writer, rounds, steps int) *Progress {
	p := &Progress{w: w, started: time.Now(), rounds: rounds, steps: steps}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(rounds*steps,
			progressbar.OptionSetWriter(w),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionSetElapsedTime(true),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetWidth(20),
		)
	}
	return p
}

// Begin says what the next step is.
func (p *Progress) Begin(what string) {
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("%-40s", what))
	}
}

// Step says that a step has ended.
func (p *Progress) Step() {
	p.done++
	if p.bar != nil {
		_ = p.bar.Add(1) // a terminal that is gone misses nothing
		return
	}
	if p.done%p.steps != 0 {
		return
	}
	p.round++
	took := time.Since(p.started)
	left := took / time.Duration(p.round) * time.Duration(p.rounds-p.round)
	if left == 0 {
		p.say("round %d of %d done, after %v", p.round, p.rounds, took.Round(time.Second))
	} else {
		p.say("round %d of %d done, about %v left", p.round, p.rounds, left.Round(time.Second))
	}
}

// Say prints a line between.
func (p *Progress) Say(format string, args ...any) {
	p.Pause()
	p.say(format, args...)
}

// Pause takes the bar off the terminal until the next step, or for good.
func (p *Progress) Pause() {
	if p.bar != nil {
		_ = p.bar.Clear() // a terminal that is gone misses nothing
	}
}

func (p *Progress) say(format string, args ...any) {
	fmt.Fprintf(p.w, format+"\n", args...)
}
