package mistake

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Most bounds how many mistakes are told.
const Most = 100

// At is something wrong at one place of a file.
type At struct {
	File         string
	Line, Column int    // from 1; 0: the file, or the line, as a whole
	Text         string // what is wrong, and what was expected
}

// String is FILE:LINE:COLUMN: what is wrong.
func (a At) String() string {
	switch {
	case a.Line == 0:
		return a.File + ": " + a.Text
	case a.Column == 0:
		return fmt.Sprintf("%s:%d: %s", a.File, a.Line, a.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", a.File, a.Line, a.Column, a.Text)
}

// List is all that is wrong with a file. As an error it has a line for each.
type List []At

// Error lists the mistakes, one per line.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, a := range l {
		lines[i] = a.String()
	}
	return strings.Join(lines, "\n")
}

// Told is the list by line, each mistake once; of more than [Most], those and how many
// more there are. It changes the order of the list itself.
func (l List) Told() List {
	slices.SortStableFunc(l, func(a, b At) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	l = slices.Compact(l) // what is reached by an alias is read more than once
	if more := len(l) - Most; more > 0 {
		l = append(l[:Most:Most], At{File: l[0].File, Text: fmt.Sprintf("%d more mistakes", more)})
	}
	return l
}
