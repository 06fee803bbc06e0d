package declare

import (
	"iter"

	"github.com/Masterminds/semver/v3"

	"warmline.dev/protocol/mistake"
	"warmline.dev/protocol/yamlfile"
)

// serviceDecl is one version of a service, as it is declared.
type serviceDecl struct {
	name, version string
	methods       []*methodDecl
}

// service reads the versions of one service.
func (r *reader) service(e yamlfile.Entry, d *Declaration) (versions []*serviceDecl) {
	name := e.Name()
	if !validName.MatchString(name) || name == "edge" || name == "warmline" {
		r.Wrong(e.Key, "service name %q; expected lower-case letters, digits and '-', at most %d, a letter first, and neither edge nor warmline", mistake.Clip(name), maxName)
	}
	there := false
	for v := range r.Entries(e.Value, "service "+mistake.Clip(name), "methods by version, such as 1.0.0") {
		there = true
		if _, err := semver.StrictNewVersion(v.Name()); err != nil {
			r.Wrong(v.Key, "version %q of service %s; expected MAJOR.MINOR.PATCH, such as 2.1.3", mistake.Clip(v.Name()), mistake.Clip(name))
		}
		versions = append(versions, r.version(v, name, d))
	}
	if !there && yamlfile.IsNull(e.Value) {
		r.Wrong(e.Key, "service %s has no versions; expected methods by version, such as 1.0.0", mistake.Clip(name))
	}
	return versions
}

func (r *reader) version(e yamlfile.Entry, name string, d *Declaration) *serviceDecl {
	s := &serviceDecl{name: name, version: e.Name()}
	for m := range r.Entries(e.Value, mistake.Clip(name)+" "+mistake.Clip(e.Name()), "methods by name") {
		s.methods = append(s.methods, r.method(m, s, d))
	}
	if yamlfile.IsNull(e.Value) {
		r.Wrong(e.Key, "%s %s has no methods; expected methods by name", mistake.Clip(name), mistake.Clip(e.Name()))
	}
	return s
}

// relate has every write tell which other services it changes: those that read
// what it invalidates.
func (d *Declaration) relate() {
	readers := map[string][]string{}
	for m := range d.methods() {
		if m.read != nil {
			readers[m.read.full()] = append(readers[m.read.full()], m.service)
		}
	}
	for m := range d.methods() {
		for _, i := range m.outdates {
			m.changes = append(m.changes, readers[i.read.full()]...)
		}
	}
}

// hint has every method say who completes a passport that lacks what it needs.
func (d *Declaration) hint() {
	completes := map[string]string{}
	for m := range d.methods() {
		for _, s := range m.sets {
			if completes[s.field] == "" {
				completes[s.field] = m.service + "." + m.name
			}
		}
	}
	for m := range d.methods() {
		m.hints = completes
	}
}

// methods are those of all services.
func (d *Declaration) methods() iter.Seq[*methodDecl] {
	return func(yield func(*methodDecl) bool) {
		for _, s := range d.services {
			for _, m := range s.methods {
				if !yield(m) {
					return
				}
			}
		}
	}
}
