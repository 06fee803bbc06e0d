package declare

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"warmline.dev/protocol"
	"warmline.dev/protocol/mistake"
	"warmline.dev/protocol/yamlfile"
)

// readDecl is what is read from a source, as it is declared.
type readDecl struct {
	source, name string
	asks         asks
	types        []kind // of the variables, as the methods have them
	batch        *batch
	keeping      keeping
	fallback     protocol.Raw // nil: none

	given  map[string]string // who gave a variable its type, for messages
	broken bool
}

// batch is how many keys are read at once.
type batch struct {
	each   int // the variable that is filled with many
	most   int
	within time.Duration
	repeat bool // NAME=1&NAME=2 instead of NAME=1,2
	items  path // where the list is in the answer
	key    path // where an item says which key it is
}

const maxBatch = 10_000

func (r *reader) read(e yamlfile.Entry, s *sourceDecl) *readDecl {
	rd := &readDecl{source: s.name, name: e.Name(), given: map[string]string{}}
	if !validReadName.MatchString(rd.name) {
		r.Wrong(e.Key, "the name of a read is %q; expected letters, digits and '-', at most %d, a lower-case letter first", mistake.Clip(rd.name), maxName)
	}
	before := r.Len()
	f := r.Fields(e.Value, "read "+mistake.Clip(rd.full()), "get and what else there is of a read")
	rd.asks = r.asks(f, e.Key, readVerbs, s)
	r.vary(f.Get("vary"), &rd.asks.vars)
	rd.types = make([]kind, len(rd.asks.vars))
	if n := f.Get("batch"); n != nil {
		rd.batch = r.batch(n, &rd.asks)
	}
	rd.keeping = r.cache(f.Get("cache"))
	if n := f.Get("fallback"); n != nil {
		rd.fallback = r.fixed(n, "fallback")
	}
	f.Done()
	rd.broken = r.Len() > before
	return rd
}

// full is SOURCE.READ.
func (rd *readDecl) full() string { return rd.source + "." + rd.name }

// keyForm is what a key is made of, for messages.
func (rd *readDecl) keyForm() string {
	parts := make([]string, len(rd.asks.vars))
	for i, v := range rd.asks.vars {
		parts[i] = said(v)
	}
	return strings.Join(parts, "/")
}

// vary adds what else the answers depend on.
func (r *reader) vary(n *yaml.Node, vars *variables) {
	const how = "fields of the passport, such as [passport.country]"
	if n == nil {
		return
	}
	for _, v := range r.Texts(n, "vary", how) {
		if _, ok := passportField(v.Value); !ok {
			r.Wrong(v, "vary has %q; expected %s", mistake.Clip(v.Value), how)
		} else if why := wrongVariable(v.Value); why != "" {
			r.Wrong(v, "%s", why)
		} else {
			vars.place(v.Value)
		}
	}
}

func (r *reader) batch(n *yaml.Node, a *asks) *batch {
	b := &batch{each: literal}
	f := r.Fields(n, "batch", "each, items and key")
	defer f.Done()
	if each := f.Get("each"); each != nil {
		r.batchEach(each, a, b)
	} else if !f.Broken() {
		r.Wrong(n, "batch has no each; expected the variable that stands for many keys")
	}
	if m := f.Get("most"); m != nil {
		b.most = r.count(m, "most", maxBatch)
	} else {
		b.most = 100
	}
	if w := f.Get("within"); w != nil {
		if isOff(w) {
			b.within = -1
		} else {
			b.within = r.duration(w, "within")
		}
	}
	if items := f.Get("items"); items != nil {
		b.items = r.path(items, "items")
	} else if !f.Broken() {
		r.Wrong(n, "batch has no items; expected where the list is in the answer, or \".\" if the answer is the list")
	}
	if key := f.Get("key"); key != nil {
		b.key = r.path(key, "key")
	} else if !f.Broken() {
		r.Wrong(n, "batch has no key; expected where an item says which key it is")
	}
	if again := f.Get("repeat"); again != nil {
		b.repeat = r.Yes(again, "repeat")
		if places, alone := a.where(b.each); b.repeat && b.each != literal && (!alone || len(places) != 1 || places[0] != "query") {
			r.Wrong(again, "repeat with %s somewhere else than alone in the query; expected NAME=%[1]s", said(a.vars[b.each]))
		}
	}
	return b
}

func (r *reader) batchEach(n *yaml.Node, a *asks, b *batch) {
	name, ok := r.Text(n, "each", "a variable, such as id")
	if !ok {
		return
	}
	var arguments []string
	for _, v := range a.vars {
		if _, ok := passportField(v); !ok {
			arguments = append(arguments, v)
		}
	}
	if !slices.Contains(arguments, name) {
		r.Wrong(n, "each is %q, which no variable of the request is; expected %s", mistake.Clip(name), mistake.Nearest(name, arguments))
		return
	}
	b.each = slices.Index(a.vars, name)
	a.eachText(func(where string, ps pieces) {
		if ps.has(b.each) && (where == "headers" || where == "body" && ps.alone() == literal) {
			r.Wrong(n, "each is %s, which is in the %s of the request among other text; expected it in the path or the query, or alone in the body", name, where)
		}
	})
}
