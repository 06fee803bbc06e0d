package declare

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
	Line, Column int    // from 1; 0: the file as a whole
	Text         string // what is wrong, and what was expected
}

// String is FILE:LINE:COLUMN: what is wrong.
func (m Mistake) String() string {
	if m.Line == 0 {
		return m.File + ": " + m.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", m.File, m.Line, m.Column, m.Text)
}

// Mistakes is all that is wrong with a file, by line; of more than a hundred, the
// first hundred and how many there are. As an error it has a line for each.
type Mistakes []Mistake

// Error lists the mistakes, one per line.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, one := range m {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// listed is the mistakes in order, no more than are listed.
func (m Mistakes) listed(file string) Mistakes {
	slices.SortStableFunc(m, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	m = slices.Compact(m) // what is reached by an alias is read more than once
	if len(m) > maxMistakes {
		more := len(m) - maxMistakes
		m = append(m[:maxMistakes:maxMistakes], Mistake{File: file, Text: fmt.Sprintf("%d more mistakes", more)})
	}
	return m
}
