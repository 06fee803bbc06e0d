package mistake_test

import (
	"fmt"
	"strings"
	"testing"

	"warmline.dev/protocol/mistake"
)

func TestMistakesAreToldByLine(t *testing.T) {
	l := mistake.List{
		{"a.yaml", 3, 1, "c"},
		{"a.yaml", 2, 9, "b"},
		{"a.yaml", 2, 4, "a"},
		{"a.yaml", 2, 9, "b"},
		{"a.yaml", 4, 0, "no column"},
		{"a.yaml", 0, 0, "no line"},
	}
	if got, want := l.Told().Error(), "a.yaml: no line\na.yaml:2:4: a\na.yaml:2:9: b\na.yaml:3:1: c\na.yaml:4: no column"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAHundredMistakesAreTold(t *testing.T) {
	for n, want := range map[int]string{mistake.Most: "a.yaml:1:1: ", mistake.Most + 50: "a.yaml: 50 more mistakes"} {
		var l mistake.List
		for i := range n {
			l = append(l, mistake.At{File: "a.yaml", Line: n - i, Column: 1})
		}
		told := l.Told()
		if got := fmt.Sprint(told[len(told)-1]); len(told) != min(n, mistake.Most+1) || n > mistake.Most && got != want || told[0].String() != "a.yaml:1:1: " {
			t.Errorf("of %d: %d, from %s to %s", n, len(told), told[0], got)
		}
	}
}

func TestNearest(t *testing.T) {
	var many []string
	for i := range 300 {
		many = append(many, fmt.Sprintf("name%03d", i))
	}
	for _, tt := range []struct {
		name  string
		known []string
		want  string
	}{
		{"limt", []string{"timeout", "limit", "breaker", "limit"}, "one of limit, timeout, breaker"},
		{"limt", []string{"timeout"}, "timeout"},
		{"limt", nil, "none: there are none"},
		{"name077", many, "one of name077, name007, name017, "},
		{"name250", many, "one of name050, name150, "}, // of the first 200
		{strings.Repeat("x", 64), []string{strings.Repeat("x", 63), "b", "a"}, "one of a, b, xx"},
	} {
		got := mistake.Nearest(tt.name, tt.known)
		if !strings.HasPrefix(got, tt.want) || len(tt.known) == len(many) && (strings.Count(got, ",") != 12 || !strings.HasSuffix(got, ", …")) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestClip(t *testing.T) {
	for s, want := range map[string]string{
		"films":                        "films",
		"Ÿ \"x\"":                      "Ÿ \"x\"",
		"a\nb\x00\x1b[1m\u202e":        "a?b??[1m?",
		strings.Repeat("x", 80):        strings.Repeat("x", 80),
		strings.Repeat("x", 81):        strings.Repeat("x", 80) + "…",
		strings.Repeat("x", 79) + "Ÿ!": strings.Repeat("x", 79) + "…",
	} {
		if got := mistake.Clip(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}
