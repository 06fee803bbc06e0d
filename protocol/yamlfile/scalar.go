package yamlfile

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// Text is a scalar that has text in it.
func (r *Reader) Text(n *yaml.Node, what, how string) (text string, ok bool) {
	v := Resolved(n)
	switch {
	case v == nil:
		return "", false
	case v.Kind != yaml.ScalarNode || IsNull(v) || v.Value == "":
		r.Wrong(n, "%s is %s; expected %s", what, r.Describe(v), how)
		return "", false
	}
	return v.Value, true
}

// Texts is a scalar or a list of scalars, each with text in it.
func (r *Reader) Texts(n *yaml.Node, what, how string) (list []*yaml.Node) {
	elements := []*yaml.Node{n}
	if v := Resolved(n); v != nil && v.Kind == yaml.SequenceNode {
		if elements = v.Content; len(elements) == 0 {
			r.Wrong(n, "%s is an empty list; expected %s", what, how)
		}
	}
	for _, e := range elements {
		if _, ok := r.Text(e, what, how); ok {
			list = append(list, Resolved(e))
		}
	}
	return list
}

// Yes is a boolean, false if it is not given.
func (r *Reader) Yes(n *yaml.Node, what string) bool {
	v := Resolved(n)
	if v == nil {
		return false
	}
	yes := strings.EqualFold(v.Value, "true")
	if v.ShortTag() != "!!bool" || !yes && !strings.EqualFold(v.Value, "false") {
		r.Wrong(n, "%s is %s; expected true or false", what, r.Describe(v))
	}
	return yes
}
