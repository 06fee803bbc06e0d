package passport

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Fields are the names of what a service can change, as configuration and
// [Change] have them, besides preferences: these are "preferences." and a name.
var Fields = []string{"customer", "profile", "plan", "device", "country", "level"}

const (
	levelField  = "level"
	preferences = "preferences."
)

// text is a field that is a text.
type text struct {
	name string
	at   *string
}

func (p *Passport) texts() [5]text {
	return [5]text{{"customer", &p.Customer}, {"profile", &p.Profile}, {"plan", &p.Plan}, {"device", &p.Device}, {"country", &p.Country}}
}

// Field is a field by its name, the level as its name; ok is false if there is no
// such field. Of a preference that is not there it is empty.
func (p *Passport) Field(name string) (value string, ok bool) {
	if name == levelField {
		return p.Level.String(), true
	}
	for _, t := range p.texts() {
		if t.name == name {
			return *t.at, true
		}
	}
	if preference, is := strings.CutPrefix(name, preferences); is && validName(preference) {
		return p.Preferences[preference], true
	}
	return "", false
}

// SetField sets a field by its name; ok is false if it is none that takes a text,
// as the level. p has to own its maps: see [Passport.Clone].
func (p *Passport) SetField(name, value string) (ok bool) {
	for _, t := range p.texts() {
		if t.name == name {
			*t.at = value
			return true
		}
	}
	preference, is := strings.CutPrefix(name, preferences)
	if !is || !validName(preference) {
		return false
	}
	p.prefer(preference, value)
	return true
}

func (p *Passport) prefer(name, value string) {
	delete(p.References, name)
	if p.Preferences == nil {
		p.Preferences = map[string]string{}
	}
	p.Preferences[name] = value
}

func (p *Passport) forget(name string) {
	delete(p.References, name)
	delete(p.Preferences, name)
}

// setting is one field as a change leaves it.
type setting struct {
	field string
	text  string
	level Level
	none  bool // a preference that is taken away
}

// settings are by field, in order.
type settings []setting

func (s settings) fields() []string {
	var names []string
	for i := range s {
		names = append(names, s[i].field)
	}
	return names
}

// difference is what has to be set to make p of q.
func difference(p, q *Passport) settings {
	var set settings
	was, is := p.texts(), q.texts()
	for i := range was {
		if *was[i].at != *is[i].at {
			set = append(set, setting{field: is[i].name, text: *is[i].at})
		}
	}
	if p.Level != q.Level {
		set = append(set, setting{field: levelField, level: q.Level})
	}
	for name, value := range q.Preferences {
		if old, was := p.Preferences[name]; !was || old != value {
			set = append(set, setting{field: preferences + name, text: value})
		}
	}
	for _, gone := range [2][]string{slices.Collect(maps.Keys(p.Preferences)), slices.Collect(maps.Keys(p.References))} {
		for _, name := range gone {
			_, value := q.Preferences[name]
			if _, reference := q.References[name]; !value && !reference {
				set = append(set, setting{field: preferences + name, none: true})
			}
		}
	}
	slices.SortFunc(set, func(a, b setting) int { return cmp.Compare(a.field, b.field) })
	return set
}

// apply sets one field.
func (p *Passport) apply(s setting) {
	name, preference := strings.CutPrefix(s.field, preferences)
	switch {
	case s.field == levelField:
		p.Level = s.level
	case preference && s.none:
		p.forget(name)
	case preference:
		p.prefer(name, s.text)
	default:
		p.SetField(s.field, s.text)
	}
}

// value is what a setting sets, for people.
func (s *setting) value() string {
	if s.field == levelField {
		return s.level.String()
	}
	return s.text
}
