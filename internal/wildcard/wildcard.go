// Package wildcard compares what tests got with what they want, where part of
// the text is of no concern.
package wildcard

import "strings"

// Match compares; … in what is wanted stands for any text, none included.
func Match(got, want string) bool {
	parts := strings.Split(want, "…")
	if len(parts) == 1 {
		return got == want
	}
	if !strings.HasPrefix(got, parts[0]) {
		return false
	}
	got = got[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		_, behind, found := strings.Cut(got, part)
		if !found {
			return false
		}
		got = behind
	}
	return strings.HasSuffix(got, last)
}
