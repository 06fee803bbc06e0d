package peers

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxMistakes bounds how many are listed.
const maxMistakes = 100

// Mistake is something wrong at one place of a file.
type Mistake struct {
	File         string
	Line, Column int    // from 1
	Text         string // what is wrong, and what was expected
}

// String is FILE:LINE:COLUMN: what is wrong.
func (m Mistake) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", m.File, m.Line, m.Column, m.Text)
}

// Mistakes is all that is wrong with a file, by line; of more than a hundred, the
// first hundred. As an error it has a line for each.
type Mistakes []Mistake

// Error lists the mistakes, one per line.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, one := range m {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

func (m Mistakes) listed() Mistakes {
	slices.SortStableFunc(m, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	m = slices.Compact(m) // what is reached by an alias is read more than once
	return m[:min(len(m), maxMistakes):min(len(m), maxMistakes)]
}
