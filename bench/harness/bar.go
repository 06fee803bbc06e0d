package harness

import (
	"fmt"
	"strings"
)

// Bar is what has to be reached, and what was.
type Bar struct {
	What   string  `json:"what"`
	Value  float64 `json:"value"`
	AtMost bool    `json:"at_most"` // the limit is the most that is allowed, and not the least
	Limit  float64 `json:"limit"`
	Holds  bool    `json:"holds"`
}

// AtMost and AtLeast judge a value.
func AtMost(what string, value, limit float64) Bar {
	return Bar{what, value, true, limit, value <= limit}
}

// AtLeast is a bar of which more is better.
func AtLeast(what string, value, limit float64) Bar {
	return Bar{what, value, false, limit, value >= limit}
}

// WriteBars writes bars for people, if there are any.
func WriteBars(b *strings.Builder, title string, bars []Bar) {
	if len(bars) > 0 {
		fmt.Fprintf(b, "\n%s\n", title)
	}
	for _, bar := range bars {
		limit, holds := "≥ ", "no"
		if bar.AtMost {
			limit = "≤ "
		}
		if bar.Holds {
			holds = "yes"
		}
		fmt.Fprintf(b, "  %-54s %10s  %-12s %s\n", bar.What, Figure(bar.Value), limit+Figure(bar.Limit), holds)
	}
}
