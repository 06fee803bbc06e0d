package pieces

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Config is what is measured. It has no defaults: they are the command's.
type Config struct {
	Groups   []string // as [Groups] has them
	Rounds   int
	Duration time.Duration // of one measurement
	WarmUp   time.Duration // before it, not counted
}

// groups checks a configuration and returns what it asks for, each once, in the order
// of the table.
func (c Config) groups() ([]group, error) {
	if c.Rounds < 1 || c.Duration <= 0 || c.WarmUp < 0 {
		return nil, fmt.Errorf("%d rounds of %v after %v: expected at least one round, and a duration", c.Rounds, c.Duration, c.WarmUp)
	}
	for _, name := range c.Groups {
		if !slices.Contains(Groups(), name) {
			return nil, fmt.Errorf("no piece %q: there are %s", name, strings.Join(Groups(), ", "))
		}
	}
	asked := slices.DeleteFunc(all(), func(g group) bool { return !slices.Contains(c.Groups, g.name) })
	if len(asked) == 0 {
		return nil, fmt.Errorf("nothing to measure: expected at least one of %s", strings.Join(Groups(), ", "))
	}
	return asked, nil
}
