package declare

import (
	"slices"

	"github.com/tinylib/msgp/msgp"
	"go.yaml.in/yaml/v4"

	"warmline.dev/protocol/mistake"
	"warmline.dev/protocol/yamlfile"
)

const maxPicked = 64

// pick is what a method gives of what a source says, by which names, in order.
type pick struct {
	names [][]byte // encoded
	root  branch
}

// branch is what is looked for in one mapping.
type branch struct {
	names  []string
	leaves []leaf // by the same index
}

// leaf is what becomes of one entry: it goes out, or is looked into.
type leaf struct {
	out    []int // indices of pick.names
	inside *branch
}

// pick reads which fields a method gives: a list of paths, whose last names they
// keep, or NAME: PATH.
func (r *reader) pick(n *yaml.Node) *pick {
	const how = "a list of fields, or fields by new names, such as {released: year}"
	if n == nil {
		return nil
	}
	p := &pick{}
	var names []string
	add := func(at *yaml.Node, name string, to path) {
		switch {
		case slices.Contains(names, name):
			r.Wrong(at, "%q is picked twice; expected each name once", mistake.Clip(name))
		case len(names) == maxPicked:
			r.Wrong(at, "more than %d fields are picked; expected fewer, or no pick, which is all of them", maxPicked)
		default:
			p.root.add(to, len(names))
		}
		names = append(names, name)
		p.names = append(p.names, msgp.AppendString(nil, name))
	}
	if v := yamlfile.Resolved(n); v.Kind == yaml.SequenceNode {
		for _, e := range v.Content {
			if to := r.path(e, "a field"); to != nil {
				add(yamlfile.Resolved(e), to[len(to)-1], to)
			}
		}
	} else {
		for e := range r.Entries(n, "pick", how) {
			if to := r.path(e.Value, "a field"); to != nil {
				add(e.Key, e.Name(), to)
			}
		}
	}
	if len(names) == 0 {
		r.Wrong(n, "pick has no fields; expected %s, or no pick at all, which is all of them", how)
	}
	return p
}

// add has the value at a path go out under the name with that index.
func (b *branch) add(to path, out int) {
	i := slices.Index(b.names, to[0])
	if i < 0 {
		i = len(b.names)
		b.names = append(b.names, to[0])
		b.leaves = append(b.leaves, leaf{})
	}
	l := &b.leaves[i]
	if len(to) == 1 {
		l.out = append(l.out, out)
		return
	}
	if l.inside == nil {
		l.inside = &branch{}
	}
	l.inside.add(to[1:], out)
}
