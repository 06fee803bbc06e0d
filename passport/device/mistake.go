package device

import (
	"fmt"
	"strings"
)

// maxMistakes bounds how many are listed.
const maxMistakes = 100

// Mistake is something wrong on one line of a table's file.
type Mistake struct {
	File string
	Line int    // from 1; 0: the file as a whole
	Text string // what is wrong, and what was expected
}

// String is FILE:LINE: what is wrong.
func (m Mistake) String() string {
	if m.Line == 0 {
		return m.File + ": " + m.Text
	}
	return fmt.Sprintf("%s:%d: %s", m.File, m.Line, m.Text)
}

// Mistakes is all that is wrong with a file, by line; of more than a hundred, the
// first hundred. As an error it has a line for each.
type Mistakes []Mistake

// Error lists the mistakes, one per line.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for n, one := range m {
		lines[n] = one.String()
	}
	return strings.Join(lines, "\n")
}
