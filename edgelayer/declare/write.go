package declare

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"warmline.dev/protocol/mistake"
	"warmline.dev/protocol/yamlfile"
)

// outdated is what a write makes untrue of what was read.
type outdated struct {
	read   *readDecl
	parts  []pieces // of the key
	prefix bool     // and all keys that begin so; without parts: all there are
}

func (o outdated) has(variable int) bool {
	return slices.ContainsFunc(o.parts, func(ps pieces) bool { return ps.has(variable) })
}

// writing reads what is of methods that write.
func (r *reader) writing(m *methodDecl, f *yamlfile.Fields, e yamlfile.Entry, n *yaml.Node, d *Declaration) {
	w := &writeDecl{}
	var s *sourceDecl
	if name, ok := r.Text(n, "write", "the name of a source"); ok {
		if s = d.source(name); s == nil {
			r.Wrong(n, "there is no source %q; expected %s", mistake.Clip(name), mistake.Nearest(name, d.SourceNames()))
		} else {
			w.source = name
		}
	}
	w.asks = r.asks(f, e.Key, writeVerbs, s)
	m.vars = w.asks.vars
	if n := f.Get("invalidates"); n != nil {
		for i := range r.Entries(n, "invalidates", "keys by SOURCE.READ, such as {catalogue.film: \"{id}\"}") {
			r.outdated(m, i, d)
		}
	}
	w.asks.vars = m.vars // what is outdated may have more
	if s != nil {
		m.write = w
	}
}

// outdated reads one entry of invalidates.
func (r *reader) outdated(m *methodDecl, e yamlfile.Entry, d *Declaration) {
	rd := r.find(e.Key, e.Name(), d)
	key, ok := r.Text(e.Value, "the key", "the parts of a key, the last of which may be \"*\"")
	if rd == nil || !ok {
		return
	}
	o := outdated{read: rd}
	parts := strings.Split(key, "/")
	if parts[len(parts)-1] == "*" {
		o.prefix = true
		parts = parts[:len(parts)-1]
	}
	at := yamlfile.Resolved(e.Value)
	for _, part := range parts {
		o.parts = append(o.parts, r.pieces(at, part, &m.vars))
	}
	if want := len(rd.asks.vars); !rd.broken && (len(parts) > want || !o.prefix && len(parts) != want || o.prefix && len(parts) >= max(want, 1)) {
		r.Wrong(at, "%q is no key of %s; expected %s", mistake.Clip(key), rd.full(), keysOf(rd))
	}
	m.outdates = append(m.outdates, o)
}

func keysOf(rd *readDecl) string {
	switch len(rd.asks.vars) {
	case 0:
		return `"*": it has no variables`
	case 1:
		return `its variable, ` + rd.keyForm() + `, or "*"`
	}
	return `all of its variables, ` + rd.keyForm() + `, or the first of them and "*"`
}

// fixed reads a value that is given as it is.
func (r *reader) fixed(n *yaml.Node, what string) []byte {
	var vars variables
	b := r.body(n, &vars)
	if len(vars) > 0 {
		r.Wrong(n, "%s has variables; expected a value", what)
		return nil
	}
	text, err := b.render(nil, nil, nil)
	if err == nil {
		text, err = transcode(text)
	}
	if err != nil {
		r.Wrong(n, "%s: %s", what, err)
	}
	return text
}
