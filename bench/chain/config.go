package chain

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/peer"
)

// Shapes of jobs, and what is counted of each.
const (
	Chain = peer.Chain // depth: questions of which each needs the answer to the one before
	Fan   = peer.Fan   // width: questions that can be asked at once
)

// Config is what is measured. It has no defaults: they are the command's.
type Config struct {
	Contenders  []string
	RTT         []time.Duration // between adapter and edge
	Shapes      []string
	Depths      []int // of chains
	Widths      []int // of fans
	Concurrency int   // jobs under way at any time

	Rounds   int
	Duration time.Duration // of one measurement
	WarmUp   time.Duration // before it, not counted
}

// Limits of a [Config].
const (
	MaxDepth    = 64
	MaxWidth    = 1000
	MaxUnderWay = 1000 // questions, of all jobs: clients are made for so many
	MaxRTT      = time.Second
)

// Check says what is wrong with it, nil if nothing is.
func (c Config) Check() error {
	for _, name := range c.Contenders {
		if _, err := contender.Find(name); err != nil {
			return err
		}
	}
	for _, rtt := range c.RTT {
		if rtt < 0 || rtt > MaxRTT {
			return fmt.Errorf("round-trip time %v: expected 0 to %v", rtt, MaxRTT)
		}
	}
	for _, s := range c.Shapes {
		if s != Chain && s != Fan {
			return fmt.Errorf("shape %q: expected %s or %s", s, Chain, Fan)
		}
	}
	for _, n := range c.Depths {
		if n < 1 || n > MaxDepth {
			return fmt.Errorf("depth %d: expected 1 to %d", n, MaxDepth)
		}
	}
	widest := 1
	for _, n := range c.Widths {
		if n < 1 || n > MaxWidth {
			return fmt.Errorf("width %d: expected 1 to %d", n, MaxWidth)
		}
		widest = max(widest, n)
	}
	switch {
	case len(c.names()) == 0 || len(c.RTT) == 0 || len(c.rows()) == 0:
		return fmt.Errorf("nothing to measure: expected at least one contender, round-trip time, shape, and depth or width")
	case c.Concurrency < 1 || c.Concurrency > MaxUnderWay/widest:
		return fmt.Errorf("concurrency %d: expected 1 to %d where the widest job asks %d questions at once", c.Concurrency, MaxUnderWay/widest, widest)
	case c.Rounds < 1 || c.Duration <= 0 || c.WarmUp < 0:
		return fmt.Errorf("%d rounds of %v after %v: expected at least one round, and a duration", c.Rounds, c.Duration, c.WarmUp)
	}
	return nil
}

// ascending are values once each, the smallest first.
func ascending[T cmp.Ordered](values []T) []T {
	return slices.Compact(slices.Sorted(slices.Values(values)))
}

// row is a job of one size.
type row struct {
	shape string
	n     int
}

// cell is one measurement of each round.
type cell struct {
	contender string
	rtt       time.Duration
	row
}

// names are the contenders, once each, in the order of the tables.
func (c Config) names() []string {
	return slices.DeleteFunc(contender.Names(), func(name string) bool { return !slices.Contains(c.Contenders, name) })
}

// rows are what one pair of processes does, in the order of the tables.
func (c Config) rows() (rows []row) {
	for _, of := range []struct {
		shape string
		sizes []int
	}{{Chain, c.Depths}, {Fan, c.Widths}} {
		if slices.Contains(c.Shapes, of.shape) {
			for _, n := range ascending(of.sizes) {
				rows = append(rows, row{of.shape, n})
			}
		}
	}
	return rows
}

// cells are all measurements, in the order of the tables.
func (c Config) cells() (cells []cell) {
	for _, rtt := range ascending(c.RTT) {
		for _, row := range c.rows() {
			for _, name := range c.names() {
				cells = append(cells, cell{name, rtt, row})
			}
		}
	}
	return cells
}
