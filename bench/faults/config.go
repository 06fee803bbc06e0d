package faults

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"warmline.dev/bench/job/contender"
)

// Config is what is measured. It has no defaults: they are the command's.
type Config struct {
	Contenders []string
	Faults     []string
	Rate       float64 // jobs a second, but with [Overload]
	Rounds     int
	Duration   time.Duration // of one measurement
	WarmUp     time.Duration // before it, not counted
}

// Contenders are those that do something about servers that fail.
func Contenders() []string {
	var names []string
	for _, c := range contender.All() {
		if c.Resilience != "" {
			names = append(names, c.Name)
		}
	}
	return names
}

// Check says what is wrong with it, nil if nothing is.
func (c Config) Check() error {
	for _, name := range c.Contenders {
		if !slices.Contains(Contenders(), name) {
			return fmt.Errorf("no contender %q here: there are %s", name, strings.Join(Contenders(), ", "))
		}
	}
	for _, name := range c.Faults {
		if !slices.Contains(Names(), name) {
			return fmt.Errorf("no fault %q: there are %s", name, strings.Join(Names(), ", "))
		}
	}
	switch {
	case len(c.Contenders) == 0 || len(c.Faults) == 0:
		return fmt.Errorf("nothing to measure: expected at least one contender and fault")
	case c.Rate <= 0 || c.Rate > 1e6:
		return fmt.Errorf("rate %g: expected more than 0, to 1000000 jobs a second", c.Rate)
	case c.Duration < minDuration || c.Duration > maxDuration:
		return fmt.Errorf("duration %v: expected %v to %v", c.Duration, minDuration, maxDuration)
	case c.Rounds < 1 || c.WarmUp < 0:
		return fmt.Errorf("%d rounds, warm-up of %v: expected at least one round, and no less than 0", c.Rounds, c.WarmUp)
	}
	return nil
}

// A measurement is long enough for something to happen, and its timeline short
// enough to be looked at.
const (
	minDuration = 3 * bucket
	maxDuration = time.Hour
)

// cell is one row of the table.
type cell struct{ contender, fault string }

// names and faults are those of the configuration, once each, in the order of the tables.
func (c Config) names() []string  { return only(Contenders(), c.Contenders) }
func (c Config) faults() []string { return only(Names(), c.Faults) }

func only(all, wanted []string) []string {
	return slices.DeleteFunc(all, func(name string) bool { return !slices.Contains(wanted, name) })
}

// cells are the rows, in the order of the table.
func (c Config) cells() (cells []cell) {
	for _, fault := range c.faults() {
		for _, name := range c.names() {
			cells = append(cells, cell{name, fault})
		}
	}
	return cells
}
