package mistake

import (
	"slices"
	"strings"
	"unicode"
)

const (
	maxShown  = 80  // bytes of what a message shows
	maxName   = 63  // bytes of a name that others are compared with
	maxNamed  = 12  // names that a message lists
	maxRanked = 200 // names that are compared for it
)

// Clip is text for a message: at most 80 bytes of it, and '?' for what can't be
// printed, so that nobody's text makes lines of its own.
func Clip(s string) string {
	if len(s) > maxShown {
		s = strings.ToValidUTF8(s[:maxShown], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// Nearest lists the names that are known, those first that are most like the one
// given: "one of timeout, limit", at most twelve. It looks at the first 200 that are
// known, and ranks nothing for a name of more than 63 bytes.
func Nearest(name string, known []string) string {
	if len(known) == 0 {
		return "none: there are none"
	}
	known = slices.Compact(slices.Sorted(slices.Values(known[:min(len(known), maxRanked)])))
	if len(name) <= maxName {
		slices.SortStableFunc(known, func(a, b string) int { return distance(name, a) - distance(name, b) })
	}
	list := strings.Join(known[:min(len(known), maxNamed)], ", ")
	if len(known) > maxNamed {
		list += ", …"
	}
	if len(known) == 1 {
		return list
	}
	return "one of " + list
}

// distance is how many letters have to be put in, left out or replaced to make
// one name of the other.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
