package declare

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// kind is the type of an argument.
type kind uint8

const (
	unknown kind = iota // nobody said yet
	text
	integer
	number
	boolean
)

var kinds = map[string]kind{"string": text, "integer": integer, "number": number, "boolean": boolean}

func (k kind) String() string {
	for name, one := range kinds {
		if one == k {
			return name
		}
	}
	return "value"
}

const (
	maxText     = 1024 // bytes of an argument that does not say otherwise
	maxElements = 100  // of a list that does not say otherwise
)

// argument is what a method takes under one name.
type argument struct {
	name     string
	kind     kind
	list     bool
	most     int // elements of a list, bytes of a text
	ranged   string
	min, max float64 // of a number
	from, to int64   // of an integer
	optional bool
	def      *value // instead of nothing
}

// args reads the arguments of a method.
func (r *reader) args(n *yaml.Node) (list []argument, at []*yaml.Node) {
	if n == nil {
		return nil, nil
	}
	for e := range r.entries(n, "args", "arguments by name") {
		if !validArgument.MatchString(e.name()) {
			r.wrong(e.key, "an argument is named %q; expected letters, digits and '_', at most %d, a letter first", clip(e.name()), maxName)
		}
		list = append(list, r.argument(e))
		at = append(at, e.key)
	}
	return list, at
}

func (r *reader) argument(e entry) argument {
	const how = "string, integer, number or boolean, or {list: integer}"
	a := argument{name: e.name(), min: math.Inf(-1), max: math.Inf(1), from: math.MinInt64, to: math.MaxInt64, most: maxText}
	v := resolved(e.value)
	if v.Kind == yaml.ScalarNode {
		a.kind = r.kind(v, how)
		return a
	}
	f := r.fields(v, "argument "+clip(a.name), how)
	defer f.done()
	of, one := f.get("list"), f.get("type")
	switch {
	case of != nil && one != nil:
		r.wrong(one, "argument %s has a list and a type; expected one of them", clip(a.name))
	case of != nil:
		a.list, a.most, a.kind = true, maxElements, r.kind(of, "string, integer, number or boolean")
	case one != nil:
		a.kind = r.kind(one, "string, integer, number or boolean")
	case !f.broken():
		r.wrong(e.value, "argument %s has no type; expected %s", clip(a.name), how)
	}
	if a.list || a.kind == text {
		if n := f.get("most"); n != nil {
			a.most = r.count(n, "most", 100_000)
		}
	}
	r.bounds(f, &a)
	if n := f.get("optional"); n != nil {
		a.optional = r.yes(n, "optional")
	}
	if n := f.get("default"); n != nil && a.kind != unknown {
		a.def = r.def(n, &a)
	}
	return a
}

func (r *reader) kind(n *yaml.Node, how string) kind {
	name, ok := r.text(n, "a type", how)
	k := kinds[name]
	if ok && k == unknown {
		r.wrong(n, "the type is %q; expected %s", clip(name), how)
	}
	return k
}

// bounds reads min and max of what is a number.
func (r *reader) bounds(f *fields, a *argument) {
	if a.kind != integer && a.kind != number {
		return
	}
	low, high := f.get("min"), f.get("max")
	for _, n := range []*yaml.Node{low, high} {
		if n == nil {
			continue
		}
		s, ok := r.text(n, "min or max", "a number")
		if !ok {
			return
		}
		i, notInt := strconv.ParseInt(s, 10, 64)
		x, notFloat := strconv.ParseFloat(s, 64)
		if a.kind == integer && notInt != nil || notFloat != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			r.wrong(n, "min or max is %q; expected %s", clip(s), article(a.kind))
			return
		}
		if n == low {
			a.from, a.min = i, x
		} else {
			a.to, a.max = i, x
		}
	}
	switch {
	case low != nil && high != nil:
		a.ranged = resolved(low).Value + " to " + resolved(high).Value
	case low != nil:
		a.ranged = "at least " + resolved(low).Value
	case high != nil:
		a.ranged = "at most " + resolved(high).Value
	}
	if a.min > a.max {
		r.wrong(high, "max is less than min; expected it to be more")
	}
}

// def reads what an argument is that is not given.
func (r *reader) def(n *yaml.Node, a *argument) *value {
	at := resolved(n)
	if a.list != (at.Kind == yaml.SequenceNode) {
		r.wrong(n, "default is %s; expected %s", describe(at), map[bool]string{true: "a list", false: article(a.kind)}[a.list])
		return nil
	}
	before := len(r.mistakes)
	v := &value{}
	if a.list {
		v.list = []string{}
		for _, e := range at.Content {
			v.list = append(v.list, r.defText(resolved(e), a))
		}
	} else {
		v.text = r.defText(at, a)
	}
	if err := a.check(*v); err != nil && len(r.mistakes) == before {
		r.wrong(n, "default: %s", err)
	}
	return v
}

func (r *reader) defText(n *yaml.Node, a *argument) string {
	tags := map[kind][]string{text: {"!!str"}, integer: {"!!int"}, number: {"!!int", "!!float"}, boolean: {"!!bool"}}
	canonical, err := a.kind.canonical(n.Value)
	if n.Kind != yaml.ScalarNode || !slices.Contains(tags[a.kind], n.ShortTag()) || err != nil {
		r.wrong(n, "default is %s; expected %s", describe(n), article(a.kind))
		return ""
	}
	return canonical
}

// canonical is text of that kind as it stands in keys, paths and bodies, where
// the same value is always the same text.
func (k kind) canonical(s string) (string, error) {
	switch k {
	case integer:
		v, err := strconv.ParseInt(s, 10, 64)
		return strconv.FormatInt(v, 10), err
	case number:
		v, err := strconv.ParseFloat(s, 64)
		if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
			err = strconv.ErrRange
		}
		return formatNumber(v), err
	case boolean:
		v, err := strconv.ParseBool(s)
		return strconv.FormatBool(v), err
	}
	return s, nil
}

func formatNumber(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// check says which bound a value of the right type is beyond.
func (a *argument) check(v value) error {
	if a.list && len(v.list) > a.most {
		return fmt.Errorf("%s has %d elements, expected at most %d", a.name, len(v.list), a.most)
	}
	if !a.list {
		return a.checkText(v.text)
	}
	for _, s := range v.list {
		if err := a.checkText(s); err != nil {
			return err
		}
	}
	return nil
}

func (a *argument) checkText(s string) error {
	switch a.kind {
	case text:
		most := a.most
		if a.list {
			most = maxText
		}
		if len(s) > most {
			return fmt.Errorf("%s has %d bytes, expected at most %d", a.name, len(s), most)
		}
	case integer:
		if v, err := strconv.ParseInt(s, 10, 64); err != nil || v < a.from || v > a.to {
			return fmt.Errorf("%s is %s, expected %s", a.name, s, a.ranged)
		}
	case number:
		if v, err := strconv.ParseFloat(s, 64); err != nil || !(v >= a.min && v <= a.max) {
			return fmt.Errorf("%s is %s, expected %s", a.name, s, a.ranged)
		}
	}
	return nil
}

// shape is how the argument looks in JSON.
func (a *argument) shape() string {
	if a.list {
		return "[" + a.kind.String() + "]"
	}
	return a.kind.String()
}

func article(k kind) string {
	if k == integer {
		return "an integer"
	}
	return "a " + k.String()
}
