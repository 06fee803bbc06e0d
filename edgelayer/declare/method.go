package declare

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"warmline.dev/passport"
	"warmline.dev/protocol/mistake"
	"warmline.dev/protocol/yamlfile"
)

// methodDecl is a method as it is declared: it reads, or it writes.
type methodDecl struct {
	service, name string

	read  *readDecl
	write *writeDecl

	args    []argument
	vars    variables // of the read; of the write and what it outdates
	from    []int     // for each of vars the argument that it is; literal: the passport's
	each    int       // the argument whose elements are read one by one; literal: none
	as      string    // what the results of each are under
	pick    *pick     // nil: all there is
	needs   *passport.Level
	sets    []setting
	signs   *passport.Level // of the passport when it has succeeded; nil: as it is
	changes []string        // other services
	hints   map[string]string

	outdates []outdated
}

// writeDecl is the request of a method that writes.
type writeDecl struct {
	source string
	asks   asks
}

// setting is a field of the passport that an answer sets.
type setting struct {
	field string
	from  path
}

func (r *reader) method(e yamlfile.Entry, s *serviceDecl, d *Declaration) *methodDecl {
	m := &methodDecl{service: s.name, name: e.Name(), each: literal}
	if !validMethod.MatchString(m.name) {
		r.Wrong(e.Key, "method name %q; expected letters and digits, at most %d, a lower-case letter first", mistake.Clip(m.name), maxName)
	}
	f := r.Fields(e.Value, "method "+mistake.Clip(m.name), "read or write, and what else there is of a method")
	defer f.Done()
	args, at := r.args(f.Get("args"))
	m.args = args
	before := r.Len()
	reads, writes := f.Get("read"), f.Get("write")
	switch {
	case reads != nil && writes != nil:
		r.Wrong(writes, "method %s reads and writes; expected one of them", mistake.Clip(m.name))
		return m
	case reads != nil:
		r.reading(m, f, reads, d)
	case writes != nil:
		r.writing(m, f, e, writes, d)
	case !f.Broken():
		r.Wrong(e.Key, "method %s neither reads nor writes; expected read: SOURCE.READ, or write: SOURCE", mistake.Clip(m.name))
		return m
	}
	sound := r.Len() == before && (m.read != nil && !m.read.broken || m.write != nil)
	r.result(m, f)
	if sound { // otherwise it is not known what it needs
		r.origins(m, e)
		r.unused(m, at)
	}
	return m
}

// result reads what becomes of the answer.
func (r *reader) result(m *methodDecl, f *yamlfile.Fields) {
	m.pick = r.pick(f.Get("pick"))
	if n := f.Get("needs"); n != nil {
		m.needs = r.level(n, "needs")
	}
	n := f.Get("passport")
	if n == nil {
		return
	}
	if m.each != literal {
		r.Wrong(n, "passport with each; expected it with one answer only")
	}
	for e := range r.Entries(n, "passport", "fields of the passport, each with where it is in the answer") {
		if e.Name() == "level" && m.write != nil {
			m.signs = r.level(e.Value, "level")
			continue
		}
		to := r.path(e.Value, e.Name())
		if !(&passport.Passport{}).SetField(e.Name(), "") {
			r.Wrong(e.Key, "an answer can't set %q of a passport; expected %s, or preferences.NAME", mistake.Clip(e.Name()), mistake.Nearest(e.Name(), passport.Fields[:5]))
			continue
		}
		m.sets = append(m.sets, setting{e.Name(), to})
	}
}

// level reads the name of one; nil: it is none.
func (r *reader) level(n *yaml.Node, what string) *passport.Level {
	const how = "anonymous, recognised or authenticated"
	name, ok := r.Text(n, what, how)
	if !ok {
		return nil
	}
	for l := passport.Anonymous; l <= passport.Authenticated; l++ {
		if l.String() == name {
			return &l
		}
	}
	r.Wrong(n, "%s is %q; expected %s", what, mistake.Clip(name), how)
	return nil
}

// reading reads what is of methods that read.
func (r *reader) reading(m *methodDecl, f *yamlfile.Fields, n *yaml.Node, d *Declaration) {
	if full, ok := r.Text(n, "read", "SOURCE.READ"); ok {
		m.read = r.find(n, full, d)
	}
	if m.read != nil {
		m.vars = m.read.asks.vars
	}
	each, as := f.Get("each"), f.Get("as")
	if each == nil {
		if as != nil {
			r.Wrong(as, "as without each; expected it for lists of results only")
		}
		return
	}
	if as == nil {
		r.Wrong(each, "each without as; expected the name that the results are under")
	} else if name, ok := r.Text(as, "as", "the name that the results are under"); ok {
		if m.as = name; !validArgument.MatchString(name) || name == errorsName {
			r.Wrong(as, "as is %q; expected letters, digits and '_', a letter first, and not %s", mistake.Clip(name), errorsName)
		}
	}
	r.eachOf(m, each)
}

// errorsName is what the errors of each are under.
const errorsName = "errors"

// eachOf reads which argument fills which variable.
func (r *reader) eachOf(m *methodDecl, n *yaml.Node) {
	const how = "one ARGUMENT: VARIABLE, such as {ids: id}"
	count := 0
	for e := range r.Entries(n, "each", how) {
		if count++; count > 1 {
			r.Wrong(e.Key, "each has more than one argument; expected %s", how)
			return
		}
		variable, ok := r.Text(e.Value, "each", how)
		if !ok {
			continue
		}
		a := slices.IndexFunc(m.args, func(a argument) bool { return a.name == e.Name() })
		if a < 0 || !m.args[a].list {
			r.Wrong(e.Key, "each is of %q, which is no argument with a list; expected {ids: {list: integer}} among args", mistake.Clip(e.Name()))
			continue
		}
		if m.read != nil && !m.read.broken && !slices.Contains(m.read.asks.vars, variable) {
			r.Wrong(e.Value, "%s has no variable %s; expected %s", m.read.full(), said(mistake.Clip(variable)), mistake.Nearest(variable, m.read.asks.vars))
			continue
		}
		m.each = a
		m.from = make([]int, len(m.vars))
		for i, v := range m.vars {
			m.from[i] = literal
			if v == variable {
				m.from[i] = a
			}
		}
	}
	if count == 0 {
		r.Wrong(n, "each is %s; expected %s", r.Describe(n), how)
	}
}

// find is a read by its full name, nil if there is none.
func (r *reader) find(n *yaml.Node, full string, d *Declaration) *readDecl {
	source, name, _ := strings.Cut(full, ".")
	s := d.source(source)
	if s == nil {
		r.Wrong(n, "there is no source %q; expected %s", mistake.Clip(source), mistake.Nearest(source, d.SourceNames()))
		return nil
	}
	if rd := s.read(name); rd != nil {
		return rd
	}
	if !s.broken {
		var names []string
		for _, rd := range s.reads {
			names = append(names, rd.full())
		}
		r.Wrong(n, "source %s has no read %q; expected %s", source, mistake.Clip(name), mistake.Nearest(full, names))
	}
	return nil
}

// origins finds where each variable comes from.
func (r *reader) origins(m *methodDecl, e yamlfile.Entry) {
	chosen := m.from
	m.from = make([]int, len(m.vars))
	for i, v := range m.vars {
		m.from[i] = literal
		if _, ok := passportField(v); ok {
			continue
		}
		a := slices.IndexFunc(m.args, func(a argument) bool { return a.name == v })
		if chosen != nil && chosen[i] != literal {
			a = chosen[i]
		}
		if a < 0 {
			r.Wrong(e.Key, "method %s gives no %s; expected an argument %s, or each", mistake.Clip(m.name), said(v), v)
			continue
		}
		m.from[i] = a
		r.fits(m, i, &m.args[a], e)
	}
}

// fits checks that an argument can stand where its variable does.
func (r *reader) fits(m *methodDecl, variable int, a *argument, e yamlfile.Entry) {
	name := m.vars[variable]
	var asked *asks
	if m.read != nil {
		asked = &m.read.asks
		if a.list && (m.each == literal || &m.args[m.each] != a) {
			r.Wrong(e.Key, "argument %s of method %s is a list; expected each for it", a.name, mistake.Clip(m.name))
		}
		if rd := m.read; a.kind != unknown && rd.types[variable] == unknown {
			rd.types[variable], rd.given[name] = a.kind, m.service+"."+m.name
		} else if a.kind != unknown && rd.types[variable] != a.kind {
			r.Wrong(e.Key, "method %s gives %s as %s, and %s as %s; expected the same", mistake.Clip(m.name), said(name), a.kind, rd.given[name], rd.types[variable])
		}
	} else {
		asked = &m.write.asks
	}
	places, alone := asked.where(variable)
	elsewhere := slices.ContainsFunc(places, func(p string) bool { return p != "body" }) || slices.ContainsFunc(m.outdates, func(o outdated) bool { return o.has(variable) })
	if m.write != nil && a.list && (!alone || elsewhere) {
		r.Wrong(e.Key, "argument %s of method %s is a list; expected it alone in the body", a.name, mistake.Clip(m.name))
	}
	if a.optional && a.def == nil && !a.list && slices.Contains(places, "path") {
		r.Wrong(e.Key, "argument %s of method %s is optional and in the path; expected it with a default", a.name, mistake.Clip(m.name))
	}
}

// unused tells of the arguments that nothing uses.
func (r *reader) unused(m *methodDecl, at []*yaml.Node) {
	for i := range m.args {
		if !slices.Contains(m.from, i) {
			r.Wrong(at[i], "nothing uses the argument %s; expected it as a variable: %s", mistake.Clip(m.args[i].name), said(mistake.Clip(m.args[i].name)))
		}
	}
}

// shape is how the arguments look in JSON.
func (m *methodDecl) shape() string {
	list := make([]string, len(m.args))
	for i := range m.args {
		list[i] = `"` + m.args[i].name + `":` + m.args[i].shape()
	}
	return "{" + strings.Join(list, ",") + "}"
}
