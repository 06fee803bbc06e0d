package yamlfile

import (
	"iter"
	"slices"

	"go.yaml.in/yaml/v4"

	"warmline.dev/protocol/mistake"
)

// Entry is one entry of a mapping.
type Entry struct{ Key, Value *yaml.Node }

// Name is that of the entry.
func (e Entry) Name() string { return e.Key.Value }

// Entries are those of a mapping, each name once. Null has none.
func (r *Reader) Entries(n *yaml.Node, what, how string) iter.Seq[Entry] {
	n = Resolved(n)
	return func(yield func(Entry) bool) {
		switch {
		case IsNull(n):
			return
		case n.Kind != yaml.MappingNode:
			r.Wrong(n, "%s is %s; expected %s", what, r.Describe(n), how)
			return
		}
		lines := map[string]int{}
		for pair := range slices.Chunk(n.Content, 2) {
			e := Entry{Resolved(pair[0]), pair[1]}
			switch {
			case e.Key.Kind != yaml.ScalarNode:
				r.Wrong(pair[0], "a name in %s is %s; expected %s", what, r.Describe(e.Key), how)
			case lines[e.Name()] != 0:
				r.Wrong(pair[0], "%q is in %s twice, in line %d too", mistake.Clip(e.Name()), what, lines[e.Name()])
			default:
				lines[e.Name()] = e.Key.Line
				if !yield(e) {
					return
				}
			}
		}
	}
}

// Fields are the entries of a mapping whose names are known.
type Fields struct {
	At   *yaml.Node // the mapping; nil: it is not given
	What string     // it is, for messages

	r     *Reader
	given []Entry
	known []string
}

// Fields reads a mapping. Ask for each field that there may be, then call
// [Fields.Done].
func (r *Reader) Fields(n *yaml.Node, what, how string) *Fields {
	return &Fields{At: Resolved(n), What: what, r: r, given: slices.Collect(r.Entries(n, what, how))}
}

// Get is the value of a field, nil if it is not given.
func (f *Fields) Get(name string) *yaml.Node {
	f.known = append(f.known, name)
	for _, e := range f.given {
		if e.Name() == name {
			return e.Value
		}
	}
	return nil
}

// Done tells of the fields that nobody asked for.
func (f *Fields) Done() {
	for _, e := range f.given {
		if !slices.Contains(f.known, e.Name()) {
			f.r.Wrong(e.Key, "%s has no %q; expected %s", f.What, mistake.Clip(e.Name()), mistake.Nearest(e.Name(), f.known))
		}
	}
}

// Broken reports whether it was no mapping, so that what it lacks is not told too.
func (f *Fields) Broken() bool { return !IsNull(f.At) && f.At.Kind != yaml.MappingNode }
