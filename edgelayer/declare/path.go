package declare

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"warmline.dev/protocol/mistake"
)

// path leads into a value: a name for each mapping. The empty one is the value
// itself.
type path []string

func (p path) String() string {
	if len(p) == 0 {
		return "."
	}
	return strings.Join(p, ".")
}

// path reads a dotted path.
func (r *reader) path(n *yaml.Node, what string) path {
	const how = "a dotted path, such as items or data.items"
	text, ok := r.Text(n, what, how)
	if !ok || text == "." {
		return nil
	}
	p := path(strings.Split(text, "."))
	for _, name := range p {
		if name == "" {
			r.Wrong(n, "%s is %q; expected %s", what, mistake.Clip(text), how)
			return nil
		}
	}
	if len(p) > maxValueDepth {
		r.Wrong(n, "%s has %d names; expected at most %d", what, len(p), maxValueDepth)
	}
	return p
}
