package declare

import (
	"fmt"
	"slices"
	"strings"

	"warmline.dev/passport"
)

// value is what a variable stands for in one call.
type value struct {
	text   string
	list   []string // instead of text: several
	absent bool     // an optional argument that is not given
}

// passportFields are what templates may have of a passport. Level is not one that
// an answer sets.
var passportFields = []string{"customer", "profile", "plan", "device", "country", "level"}

const ofPassport = "passport."

// passportField reports which field of the passport a variable stands for.
func passportField(variable string) (field string, ok bool) {
	return strings.CutPrefix(variable, ofPassport)
}

// settable is a field of a passport that an answer may set.
func settable(p *passport.Passport, field string) *string {
	switch field {
	case "customer":
		return &p.Customer
	case "profile":
		return &p.Profile
	case "plan":
		return &p.Plan
	case "device":
		return &p.Device
	case "country":
		return &p.Country
	}
	return nil
}

// fieldOf is a field of a passport as text.
func fieldOf(p *passport.Passport, field string) string {
	if field == "level" {
		return p.Level.String()
	}
	return *settable(p, field)
}

// variables are those of a read or a write, in the order in which they first
// appear. A template knows them by their place.
type variables []string

// place is that of a variable, which is added if it is new.
func (v *variables) place(name string) int {
	if i := slices.Index(*v, name); i >= 0 {
		return i
	}
	*v = append(*v, name)
	return len(*v) - 1
}

// passports reports whether the passport has some of them.
func (v variables) passports() bool {
	return slices.ContainsFunc(v, func(name string) bool { return strings.HasPrefix(name, ofPassport) })
}

// said is a variable as it stands in a template.
func said(variable string) string { return "{" + variable + "}" }

// wrongVariable says what is wrong with the name of a variable, "" if nothing is.
func wrongVariable(name string) string {
	if field, ok := passportField(name); ok {
		if !slices.Contains(passportFields, field) {
			return fmt.Sprintf("a passport has no %q; expected %s", clip(field), nearest(field, passportFields))
		}
		return ""
	}
	if !validArgument.MatchString(name) {
		return fmt.Sprintf("%q is no variable; expected {passport.customer} or the name of an argument, such as {id}", clip(said(name)))
	}
	return ""
}
