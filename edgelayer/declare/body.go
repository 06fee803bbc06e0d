package declare

import (
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v4"

	"warmline.dev/protocol/yamlfile"
)

// body is a JSON value with variables in it.
type body struct {
	json     json.RawMessage // a literal
	text     pieces          // text with variables in it; one alone keeps its type
	list     []body
	fields   []field
	isList   bool
	isFields bool
}

// field is NAME: VALUE of a body.
type field struct {
	name  json.RawMessage
	value body
}

// body reads a template of JSON.
func (r *reader) body(n *yaml.Node, vars *variables) (b body) {
	switch v := yamlfile.Resolved(n); v.Kind {
	case yaml.MappingNode:
		b.isFields = true
		for e := range r.Entries(v, "the body", "names and values") {
			name, _ := json.Marshal(e.Name()) // of a string never fails
			b.fields = append(b.fields, field{name, r.body(e.Value, vars)})
		}
	case yaml.SequenceNode:
		b.isList = true
		for _, e := range v.Content {
			b.list = append(b.list, r.body(e, vars))
		}
	default:
		if v.ShortTag() == "!!str" && strings.ContainsAny(v.Value, "{}") {
			b.text = r.pieces(n, v.Value, vars)
			return b
		}
		b.json = r.scalar(v)
	}
	return b
}

// scalar is one of YAML as JSON.
func (r *reader) scalar(n *yaml.Node) json.RawMessage {
	var v any = n.Value
	switch n.ShortTag() {
	case "!!int", "!!float", "!!bool", "!!null":
		if err := n.Decode(&v); err != nil {
			r.Wrong(n, "%s can't be read: %s", r.Describe(n), err)
			return nil
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		r.Wrong(n, "%s is no JSON: %s", r.Describe(n), err)
	}
	return text
}

// eachText calls f with what has variables in it.
func (b *body) eachText(f func(pieces)) {
	if b.text != nil {
		f(b.text)
	}
	for i := range b.list {
		b.list[i].eachText(f)
	}
	for i := range b.fields {
		b.fields[i].value.eachText(f)
	}
}
