package declare

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// reader walks a document and collects what is wrong with it.
type reader struct {
	file     string
	mistakes Mistakes
}

func (r *reader) wrong(at *yaml.Node, format string, args ...any) {
	if len(r.mistakes) < maxNodes {
		r.mistakes = append(r.mistakes, Mistake{File: r.file, Line: at.Line, Column: at.Column, Text: fmt.Sprintf(format, args...)})
	}
}

// resolved is what an alias stands for.
func resolved(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool {
	n = resolved(n)
	return n == nil || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

func isOff(n *yaml.Node) bool {
	n = resolved(n)
	return n.Kind == yaml.ScalarNode && n.Value == "off"
}

// describe is a value in few words, for messages.
func describe(n *yaml.Node) string {
	switch n = resolved(n); {
	case isNull(n):
		return "nothing"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("%q", clip(n.Value))
}

func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}

// entry is one entry of a mapping.
type entry struct{ key, value *yaml.Node }

func (e entry) name() string { return e.key.Value }

// entries are those of a mapping, each name once. What is in their place, for
// messages, is how.
func (r *reader) entries(n *yaml.Node, what, how string) iter.Seq[entry] {
	n = resolved(n)
	return func(yield func(entry) bool) {
		switch {
		case isNull(n):
			return
		case n.Kind != yaml.MappingNode:
			r.wrong(n, "%s is %s; expected %s", what, describe(n), how)
			return
		}
		lines := map[string]int{}
		for pair := range slices.Chunk(n.Content, 2) {
			e := entry{resolved(pair[0]), pair[1]}
			switch {
			case e.key.Kind != yaml.ScalarNode:
				r.wrong(pair[0], "a name in %s is %s; expected %s", what, describe(e.key), how)
			case lines[e.name()] != 0:
				r.wrong(pair[0], "%q is in %s twice, in line %d too", clip(e.name()), what, lines[e.name()])
			default:
				lines[e.name()] = e.key.Line
				if !yield(e) {
					return
				}
			}
		}
	}
}

// fields are the entries of a mapping whose names are known: those that nobody
// asked for are mistakes.
type fields struct {
	r     *reader
	at    *yaml.Node
	what  string
	given []entry
	known []string
}

func (r *reader) fields(n *yaml.Node, what, how string) *fields {
	f := &fields{r: r, at: resolved(n), what: what}
	for e := range r.entries(n, what, how) {
		f.given = append(f.given, e)
	}
	return f
}

// get is the value of a field, nil if it is not given.
func (f *fields) get(name string) *yaml.Node {
	if e := f.find(name); e.value != nil {
		return e.value
	}
	return nil
}

func (f *fields) find(name string) entry {
	f.known = append(f.known, name)
	for _, e := range f.given {
		if e.name() == name {
			return e
		}
	}
	return entry{}
}

// done tells of the fields that nobody asked for.
func (f *fields) done() {
	for _, e := range f.given {
		if !slices.Contains(f.known, e.name()) {
			f.r.wrong(e.key, "%s has no %q; expected %s", f.what, clip(e.name()), nearest(e.name(), f.known))
		}
	}
}

// broken reports whether it was no mapping, so that what it lacks is not told too.
func (f *fields) broken() bool { return !isNull(f.at) && f.at.Kind != yaml.MappingNode }
