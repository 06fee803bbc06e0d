package declare

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v4"

	"warmline.dev/protocol/mistake"
	"warmline.dev/protocol/yamlfile"
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
	for e := range r.Entries(n, "args", "arguments by name") {
		if !validArgument.MatchString(e.Name()) {
			r.Wrong(e.Key, "an argument is named %q; expected letters, digits and '_', at most %d, a letter first", mistake.Clip(e.Name()), maxName)
		}
		list = append(list, r.argument(e))
		at = append(at, e.Key)
	}
	return list, at
}

func (r *reader) argument(e yamlfile.Entry) argument {
	const how = "string, integer, number or boolean, or {list: integer}"
	a := argument{name: e.Name(), min: math.Inf(-1), max: math.Inf(1), from: math.MinInt64, to: math.MaxInt64, most: maxText}
	v := yamlfile.Resolved(e.Value)
	if v.Kind == yaml.ScalarNode {
		a.kind = r.kind(v, how)
		return a
	}
	f := r.Fields(v, "argument "+mistake.Clip(a.name), how)
	defer f.Done()
	of, one := f.Get("list"), f.Get("type")
	switch {
	case of != nil && one != nil:
		r.Wrong(one, "argument %s has a list and a type; expected one of them", mistake.Clip(a.name))
	case of != nil:
		a.list, a.most, a.kind = true, maxElements, r.kind(of, "string, integer, number or boolean")
	case one != nil:
		a.kind = r.kind(one, "string, integer, number or boolean")
	case !f.Broken():
		r.Wrong(e.Value, "argument %s has no type; expected %s", mistake.Clip(a.name), how)
	}
	if a.list || a.kind == text {
		if n := f.Get("most"); n != nil {
			a.most = r.count(n, "most", 100_000)
		}
	}
	r.bounds(f, &a)
	a.optional = r.Yes(f.Get("optional"), "optional")
	if n := f.Get("default"); n != nil && a.kind != unknown {
		a.def = r.def(n, &a)
	}
	return a
}

func (r *reader) kind(n *yaml.Node, how string) kind {
	name, ok := r.Text(n, "a type", how)
	k := kinds[name]
	if ok && k == unknown {
		r.Wrong(n, "the type is %q; expected %s", mistake.Clip(name), how)
	}
	return k
}

// bounds reads min and max of what is a number.
func (r *reader) bounds(f *yamlfile.Fields, a *argument) {
	if a.kind != integer && a.kind != number {
		return
	}
	low, high := f.Get("min"), f.Get("max")
	for _, n := range []*yaml.Node{low, high} {
		if n == nil {
			continue
		}
		s, ok := r.Text(n, "min or max", "a number")
		if !ok {
			return
		}
		i, notInt := strconv.ParseInt(s, 10, 64)
		x, notFloat := strconv.ParseFloat(s, 64)
		if a.kind == integer && notInt != nil || notFloat != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			r.Wrong(n, "min or max is %q; expected %s", mistake.Clip(s), article(a.kind))
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
		a.ranged = yamlfile.Resolved(low).Value + " to " + yamlfile.Resolved(high).Value
	case low != nil:
		a.ranged = "at least " + yamlfile.Resolved(low).Value
	case high != nil:
		a.ranged = "at most " + yamlfile.Resolved(high).Value
	}
	if a.min > a.max {
		r.Wrong(high, "max is less than min; expected it to be more")
	}
}

// def reads what an argument is that is not given.
func (r *reader) def(n *yaml.Node, a *argument) *value {
	at := yamlfile.Resolved(n)
	if a.list != (at.Kind == yaml.SequenceNode) {
		r.Wrong(n, "default is %s; expected %s", r.Describe(at), map[bool]string{true: "a list", false: article(a.kind)}[a.list])
		return nil
	}
	before := r.Len()
	v := &value{}
	if a.list {
		v.list = []string{}
		for _, e := range at.Content {
			v.list = append(v.list, r.defText(yamlfile.Resolved(e), a))
		}
	} else {
		v.text = r.defText(at, a)
	}
	if err := a.check(*v); err != nil && r.Len() == before {
		r.Wrong(n, "default: %s", err)
	}
	return v
}

func (r *reader) defText(n *yaml.Node, a *argument) string {
	tags := map[kind][]string{text: {"!!str"}, integer: {"!!int"}, number: {"!!int", "!!float"}, boolean: {"!!bool"}}
	canonical, err := a.kind.canonical(n.Value)
	if n.Kind != yaml.ScalarNode || !slices.Contains(tags[a.kind], n.ShortTag()) || err != nil {
		r.Wrong(n, "default is %s; expected %s", r.Describe(n), article(a.kind))
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
