package device

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"warmline.dev/protocol/mistake"
)

const (
	maxFile = 1 << 20
	maxLine = 4 << 10

	none = "-" // what stands in a column that says nothing
)

// Parse reads a table's file, as the package's documentation describes it. The file's
// name is for the mistakes. The error is a [mistake.List]: all there are, of
// more than a hundred the first hundred.
func Parse(file string, text []byte) (*Table, error) {
	f := tableFile{file: file, prefixes: map[string]int{}, ids: map[string]typeOn{}}
	if len(text) > maxFile {
		f.mistake(fmt.Errorf("more than %d bytes, expected at most that", maxFile))
		return nil, f.mistakes
	}
	for line := range strings.Lines(string(text)) {
		f.line++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if len(line) > maxLine {
			f.mistake(fmt.Errorf("%d bytes, expected at most %d on a line", len(line), maxLine))
			continue
		}
		f.mistake(f.read(line))
	}
	f.line = 0
	if !f.seen.version {
		f.mistake(errors.New("no version, expected a line with one"))
	}
	if !f.seen.made {
		f.mistake(errors.New("not said when it was made, expected a line with that"))
	}
	if len(f.mistakes) > 0 {
		return nil, f.mistakes
	}
	t, err := NewTable(f.version, f.made, f.rows, f.rules)
	if err != nil {
		f.mistake(err)
		return nil, f.mistakes
	}
	for later, earlier := range t.agents.unreachable() {
		f.line = f.ruleLines[later]
		f.mistake(fmt.Errorf("the rule on line %d always decides before this one: expected the narrower one first", f.ruleLines[earlier]))
	}
	if len(f.mistakes) > 0 {
		return nil, f.mistakes.Told()
	}
	return t, nil
}

// tableFile is what has been read of a file.
type tableFile struct {
	file     string
	line     int
	mistakes mistake.List

	seen    struct{ version, made bool }
	version uint64
	made    time.Time
	rows    []Row
	rules   []Agent

	prefixes  map[string]int    // the line of each
	ids       map[string]typeOn // the types there are
	ruleLines []int
	full      bool // there are too many rows, and that was said
}

type typeOn struct {
	Type
	line int
}

func (f *tableFile) mistake(err error) {
	if err != nil && len(f.mistakes) < mistake.Most {
		f.mistakes = append(f.mistakes, mistake.At{File: f.file, Line: f.line, Text: err.Error()})
	}
}

// read reads a line: columns with one or more tabs between them.
func (f *tableFile) read(line string) error {
	columns := slices.DeleteFunc(strings.Split(line, "\t"), func(s string) bool { return strings.TrimSpace(s) == "" })
	for n := range columns {
		if columns[n] = strings.TrimSpace(columns[n]); columns[n] == none {
			columns[n] = ""
		}
	}
	want := map[string]string{
		"version": "version NUMBER", "made": "made TIME",
		"esn": "esn PREFIX CATEGORY ID BRAND NAME YEARS MODELS", "agent": "agent WORDS CATEGORY ID BRAND NAME",
	}[columns[0]]
	if want == "" {
		return fmt.Errorf("%.40q: expected a line that begins with version, made, esn or agent, and a tab", columns[0])
	}
	if n := strings.Count(want, " ") + 1; len(columns) != n {
		return fmt.Errorf("%d columns, expected %d with tabs between them: %s; - where there is nothing to say", len(columns), n, want)
	}
	switch columns[0] {
	case "version":
		return f.readVersion(columns[1])
	case "made":
		return f.readMade(columns[1])
	case "esn":
		return f.readFamily(columns[1:])
	}
	return f.readAgent(columns[1:])
}

func (f *tableFile) readVersion(s string) (err error) {
	if f.seen.version {
		return errors.New("a second version, expected one")
	}
	f.seen.version = true
	if f.version, err = strconv.ParseUint(s, 10, 64); err != nil || f.version == 0 {
		return fmt.Errorf("version %.40q: expected a whole number from 1", s)
	}
	return nil
}

func (f *tableFile) readMade(s string) (err error) {
	if f.seen.made {
		return errors.New("a second time when it was made, expected one")
	}
	f.seen.made = true
	if f.made, err = time.Parse(time.DateOnly, s); err != nil {
		f.made, err = time.Parse(time.RFC3339, s)
	}
	if err != nil || f.made.UnixMilli() <= 0 {
		return fmt.Errorf("made %.40q: expected a day such as 2026-11-21, or a time such as 2026-11-21T18:00:00Z, after 1970", s)
	}
	return nil
}

// readType reads CATEGORY ID BRAND NAME. What stands in braces is checked when it
// has been replaced.
func readType(columns []string) (Type, error) {
	category, err := ParseCategory(columns[0])
	return Type{Category: category, ID: columns[1], Brand: columns[2], Name: columns[3]}, err
}

func (f *tableFile) readFamily(columns []string) error {
	prefix := columns[0]
	kind, err := readType(columns[1:5])
	if err != nil {
		return err
	}
	years, err := list("YEARS", "{year}", columns[5], prefix)
	if err != nil {
		return err
	}
	for _, y := range years {
		if _, ok := number(y); !ok && y != "" || len(y) != len("2026") && y != "" {
			return fmt.Errorf("YEARS: %.40q: expected years of four digits", y)
		}
	}
	models, err := list("MODELS", "{model}", columns[6], prefix)
	if err != nil {
		return err
	}
	if len(f.rows)+len(years)*len(models) > MaxRows {
		if f.full {
			return nil
		}
		f.full = true
		return fmt.Errorf("more than %d device types with those of this line, expected fewer", MaxRows)
	}
	for _, year := range years {
		for _, model := range models {
			row := Row{Prefix: fill(prefix, year, model), Type: kind}
			row.Type.ID = fill(kind.ID, year, strings.ToLower(model))
			row.Type.Name = fill(kind.Name, year, model)
			if err := f.add(row); err != nil {
				return err // what is wrong with one of a family is wrong with others
			}
		}
	}
	return nil
}

// list expands what replaces a placeholder; one empty text where there is none.
func list(column, placeholder, given, prefix string) ([]string, error) {
	switch {
	case strings.Contains(prefix, placeholder) && given == "":
		return nil, fmt.Errorf("PREFIX has %s, expected %s to say what that stands for", placeholder, column)
	case !strings.Contains(prefix, placeholder) && given != "":
		return nil, fmt.Errorf("%s is given, expected %s in PREFIX", column, placeholder)
	case given == "":
		return []string{""}, nil
	}
	all, err := expand(given, MaxRows)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", column, err)
	}
	return all, nil
}

// fill replaces the placeholders. Where they stand for nothing, that is a mistake
// that the checks of what results find.
func fill(s, year, model string) string {
	if year != "" {
		s = strings.ReplaceAll(s, "{year}", year)
	}
	if model != "" {
		s = strings.ReplaceAll(s, "{model}", model)
	}
	return s
}

func (f *tableFile) add(row Row) error {
	if err := checkPrefix(row.Prefix); err != nil {
		return err
	}
	if strings.ContainsAny(row.Prefix+row.Type.Name, "{}") {
		return fmt.Errorf("PREFIX %.80q, NAME %.80q: expected no braces but those of {year} and {model}, and what these stand for", row.Prefix, row.Type.Name)
	}
	if line, there := f.prefixes[row.Prefix]; there {
		return fmt.Errorf("prefix %q is on line %d already, expected it once", row.Prefix, line)
	}
	f.prefixes[row.Prefix] = f.line
	f.rows = append(f.rows, row)
	return f.addType(row.Type)
}

func (f *tableFile) addType(one Type) error {
	if err := one.check(); err != nil {
		return err
	}
	there, known := f.ids[one.ID]
	if known && there.Type != one {
		return fmt.Errorf("id %q is a %v %q of %q on line %d, and here a %v %q of %q: expected the same, or another id",
			one.ID, there.Category, there.Name, there.Brand, there.line, one.Category, one.Name, one.Brand)
	}
	if !known {
		f.ids[one.ID] = typeOn{one, f.line}
	}
	return nil
}

func (f *tableFile) readAgent(columns []string) error {
	kind, err := readType(columns[1:5])
	if err != nil {
		return err
	}
	rule := Agent{Type: kind}
	for word := range strings.SplitSeq(columns[0], "&") {
		word = strings.TrimSpace(word)
		if not, is := strings.CutPrefix(word, "!"); is {
			rule.Without = append(rule.Without, not)
		} else {
			rule.Words = append(rule.Words, word)
		}
	}
	if err := rule.check(); err != nil {
		return err
	}
	f.rules, f.ruleLines = append(f.rules, rule), append(f.ruleLines, f.line)
	return f.addType(kind)
}
