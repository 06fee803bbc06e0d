package device

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a table may hold; beyond, it is refused as a whole.
const (
	MaxRows   = 16384 // ESN prefixes
	MaxAgents = 64    // User-Agent rules, and the words in all of them together

	maxPrefix = 64 // bytes of an ESN prefix
	maxText   = 64 // bytes of an ID, a brand, a name
	maxWord   = 32 // bytes of a word of a User-Agent rule
)

// UnknownID is the ID of what no row and no rule knows. No table gives it to
// anything else.
const UnknownID = "other"

// Type is a kind of device.
type Type struct {
	// ID names it in logs and passports: 1 to 64 lower-case letters, digits, "-",
	// "_" and ".". There are thousands: a metric's label takes the Category.
	ID string
	// Category is what it is, coarsely.
	Category Category
	// Brand is who makes it, as people write it; "" where that is not known.
	Brand string
	// Name is for people.
	Name string
}

// Unknown is the type of what is not known.
func Unknown() Type { return Type{ID: UnknownID, Name: "unknown device"} }

// Row says which ESNs are of a type: those that begin with the prefix, and with no
// longer one that the table has.
type Row struct {
	Prefix string // 1 to 64 bytes of ASCII that can be seen
	Type   Type
}

// Agent says which User-Agents are of a type, where the ESN says nothing.
type Agent struct {
	// Words must all be there, at least one: each stands where a word begins, which
	// is at the start and behind what is neither letter nor digit, and may go on
	// ("Tizen" is in "Tizen/6.0"). 2 to 32 bytes of printable ASCII; case matters.
	Words []string
	// Without must not be there, none of them.
	Without []string
	Type    Type
}

func (t *Type) check() error {
	if err := checkID(t.ID); err != nil {
		return err
	}
	if int(t.Category) >= categories {
		return fmt.Errorf("category %d: expected 0 to %d", t.Category, categories-1)
	}
	if t.Brand != "" {
		if err := checkText(t.Brand); err != nil {
			return fmt.Errorf("brand %.80q: %w", t.Brand, err)
		}
	}
	if err := checkText(t.Name); err != nil {
		return fmt.Errorf("name %.80q: %w", t.Name, err)
	}
	return nil
}

func checkID(id string) error {
	good := id != "" && len(id) <= maxText
	for i := range len(id) {
		c := id[i]
		good = good && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.')
	}
	if !good {
		return fmt.Errorf("id %.80q: expected 1 to %d lower-case letters, digits, '-', '_' and '.'", id, maxText)
	}
	if id == UnknownID {
		return fmt.Errorf("id %q: it is what is not known, expected another", id)
	}
	return nil
}

// checkText wants what a log line can show.
func checkText(s string) error {
	if s == "" || len(s) > maxText || !utf8.ValidString(s) || s != strings.TrimSpace(s) ||
		strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("expected 1 to %d bytes of text without space around it", maxText)
	}
	return nil
}

func checkPrefix(s string) error {
	if s == "" || len(s) > maxPrefix || !seen(s) {
		return fmt.Errorf("prefix %.80q: expected 1 to %d letters, digits and signs of ASCII", s, maxPrefix)
	}
	return nil
}

// seen reports whether all of s is ASCII that can be seen.
func seen(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func (a *Agent) check() error {
	if len(a.Words) == 0 {
		return errors.New("a rule without words: expected at least one that must be there")
	}
	for _, list := range [][]string{a.Words, a.Without} {
		for _, w := range list {
			if len(w) < 2 || len(w) > maxWord || w != strings.TrimSpace(w) || !seen(strings.ReplaceAll(w, " ", "-")) {
				return fmt.Errorf("word %.80q: expected 2 to %d letters, digits and signs of ASCII", w, maxWord)
			}
		}
	}
	for _, w := range a.Without {
		for _, there := range a.Words {
			if strings.HasPrefix(there, w) {
				return fmt.Errorf("words %q and !%s: nothing has both, expected one of them to go", there, w)
			}
		}
	}
	return a.Type.check()
}
