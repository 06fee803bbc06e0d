package declare

import (
	"iter"

	"github.com/Masterminds/semver/v3"
)

// serviceDecl is one version of a service, as it is declared.
type serviceDecl struct {
	name, version string
	methods       []*methodDecl
}

// service reads the versions of one service.
func (r *reader) service(e entry, d *Declaration) (versions []*serviceDecl) {
	name := e.name()
	if !validName.MatchString(name) || name == "edge" || name == "warmline" {
		r.wrong(e.key, "service name %q; expected lower-case letters, digits and '-', at most %d, a letter first, and neither edge nor warmline", clip(name), maxName)
	}
	there := false
	for v := range r.entries(e.value, "service "+clip(name), "methods by version, such as 1.0.0") {
		there = true
		if _, err := semver.StrictNewVersion(v.name()); err != nil {
			r.wrong(v.key, "version %q of service %s; expected MAJOR.MINOR.PATCH, such as 2.1.3", clip(v.name()), clip(name))
		}
		versions = append(versions, r.version(v, name, d))
	}
	if !there && isNull(e.value) {
		r.wrong(e.key, "service %s has no versions; expected methods by version, such as 1.0.0", clip(name))
	}
	return versions
}

func (r *reader) version(e entry, name string, d *Declaration) *serviceDecl {
	s := &serviceDecl{name: name, version: e.name()}
	for m := range r.entries(e.value, clip(name)+" "+clip(e.name()), "methods by name") {
		s.methods = append(s.methods, r.method(m, s, d))
	}
	if isNull(e.value) {
		r.wrong(e.key, "%s %s has no methods; expected methods by name", clip(name), clip(e.name()))
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
