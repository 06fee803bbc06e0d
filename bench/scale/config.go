package scale

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/job/contender"
)

// What there are more and more of.
const (
	Lines         = "lines"         // of one adapter each; jobs take them in turn
	Conversations = "conversations" // open on one line, idle; jobs are done beside them
)

// Config is what is measured. It has no defaults: they are the command's.
type Config struct {
	Contenders    []string
	Of            []string
	Lines         []int // so many, from the smallest number to the largest
	Conversations []int // as above
	Concurrency   int   // jobs under way at any time

	Rounds   int
	Duration time.Duration // of one measurement
	WarmUp   time.Duration // before it, not counted
}

// Limits of a [Config]. Both ends of a line are on this machine, and each has its
// files: a job may need two connections.
const (
	MaxLines         = 4000
	MaxConversations = contender.MaxHeld
	MaxConcurrency   = 1000

	connections = 2   // of a line, at most
	otherFiles  = 100 // of a process
)

// Check says what is wrong with it, nil if nothing is.
func (c Config) Check() error {
	for _, name := range c.Contenders {
		if _, err := contender.Find(name); err != nil {
			return err
		}
	}
	for _, of := range c.Of {
		if of != Lines && of != Conversations {
			return fmt.Errorf("%q: expected %s or %s", of, Lines, Conversations)
		}
	}
	most := 1
	for _, n := range c.Lines {
		if n < 1 || n > MaxLines {
			return fmt.Errorf("%d lines: expected 1 to %d", n, MaxLines)
		}
		most = max(most, n)
	}
	for _, n := range c.Conversations {
		if n < 1 || n > MaxConversations {
			return fmt.Errorf("%d conversations: expected 1 to %d", n, MaxConversations)
		}
	}
	switch {
	case len(c.series()) == 0:
		return fmt.Errorf("nothing to measure: expected at least one contender, and a number of lines, or of conversations for one that has them (%s)", holders())
	case c.Concurrency < 1 || c.Concurrency > MaxConcurrency:
		return fmt.Errorf("concurrency %d: expected 1 to %d", c.Concurrency, MaxConcurrency)
	case c.Rounds < 1 || c.Duration <= 0 || c.WarmUp < 0:
		return fmt.Errorf("%d rounds of %v after %v: expected at least one round, and a duration", c.Rounds, c.Duration, c.WarmUp)
	}
	return enough(most, harness.MaxFiles())
}

// enough is an error if a process can't have the files that lines need.
func enough(lines int, files int64) error {
	if need := int64(connections*lines + otherFiles); need > files {
		return fmt.Errorf("%d lines need %d open files in a process, which may have %d here: raise that (ulimit -n), or ask for fewer lines", lines, need, files)
	}
	return nil
}

// Default are the contenders of a run that names none: the usual ways to ask, one of
// each kind.
func Default() []string {
	usual := []string{"http1", "grpc-unary", "grpc-bidi", "warmline"}
	return slices.DeleteFunc(contender.Names(), func(name string) bool { return !slices.Contains(usual, name) })
}

// holders names the contenders that have conversations.
func holders() string {
	var names []string
	for _, c := range contender.All() {
		if c.Holds {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, ", ")
}

// series is what one pair of processes measures: more and more of something.
type series struct {
	contender string
	of        string
	numbers   []int // ascending
}

// cell is one measurement of each round.
type cell struct {
	contender string
	of        string
	n         int
}

// series are all that there are, in the order of the tables.
func (c Config) series() (all []series) {
	for _, of := range []struct {
		what    string
		numbers []int
	}{{Lines, c.Lines}, {Conversations, c.Conversations}} {
		if !slices.Contains(c.Of, of.what) || len(of.numbers) == 0 {
			continue
		}
		numbers := slices.Compact(slices.Sorted(slices.Values(of.numbers)))
		for _, x := range contender.All() {
			if slices.Contains(c.Contenders, x.Name) && (of.what == Lines || x.Holds) {
				all = append(all, series{x.Name, of.what, numbers})
			}
		}
	}
	return all
}
