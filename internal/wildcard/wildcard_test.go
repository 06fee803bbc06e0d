package wildcard

import "testing"

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		got, want string
		match     bool
	}{
		{"abc", "abc", true},
		{"abc", "ab", false},
		{"abc", "a…", true},
		{"abc", "…c", true},
		{"abc", "…", true},
		{"abcd", "a…c…", true},
		{"abcd", "a…d…c", false},
		{"aba", "ab…ba", false}, // no byte is used twice
		{"", "a…", false},
	} {
		if Match(tt.got, tt.want) != tt.match {
			t.Errorf("Match(%q, %q) is %v", tt.got, tt.want, !tt.match)
		}
	}
}
