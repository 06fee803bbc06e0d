package declare

import (
	"fmt"
	"slices"
	"strings"

	"warmline.dev/passport"
	"warmline.dev/protocol/mistake"
)

// value is what a variable stands for in one call.
type value struct {
	text   string
	list   []string // instead of text: several
	absent bool     // an optional argument that is not given
}

const ofPassport = "passport."

// passportField reports which field of the passport a variable stands for.
func passportField(variable string) (field string, ok bool) {
	return strings.CutPrefix(variable, ofPassport)
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
		if _, there := (&passport.Passport{}).Field(field); !there {
			return fmt.Sprintf("a passport has no %q; expected %s, or preferences.NAME", mistake.Clip(field), mistake.Nearest(field, passport.Fields))
		}
		return ""
	}
	if !validArgument.MatchString(name) {
		return fmt.Sprintf("%q is no variable; expected {passport.customer} or the name of an argument, such as {id}", mistake.Clip(said(name)))
	}
	return ""
}
