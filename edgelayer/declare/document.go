package declare

import (
	"errors"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// MaxSize bounds a file, in bytes.
const MaxSize = 1 << 20

const (
	maxDepth = 24
	maxNodes = 100_000 // with what aliases stand for
)

// document is the one value that the file has, nil if it can't be read.
func (r *reader) document(text []byte) *yaml.Node {
	start := &yaml.Node{Line: 1, Column: 1}
	switch {
	case len(text) > MaxSize:
		r.wrong(start, "the file has %d bytes; expected at most %d", len(text), MaxSize)
		return nil
	case !utf8.Valid(text):
		r.wrong(start, "the file is not UTF-8")
		return nil
	}
	var doc yaml.Node
	if err := yaml.Load(text, &doc, yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth)))); err != nil {
		bad, _ := errors.AsType[*yaml.LoadError](err)
		switch {
		case bad == nil:
			r.wrong(start, "%s", err)
		case bad.Mark.Line == 0: // about the file as a whole
			r.wrong(start, "%s; expected one YAML mapping with sources and services", strings.TrimPrefix(bad.Message, "yaml: "))
		default:
			r.wrong(&yaml.Node{Line: bad.Mark.Line, Column: bad.Mark.Column}, "no YAML: %s", bad.Message)
		}
		return nil
	}
	if len(doc.Content) != 1 {
		r.wrong(start, "the file is empty; expected sources and services")
		return nil
	}
	left := maxNodes
	if at := tooMuch(doc.Content[0], maxDepth, &left); at != nil {
		r.wrong(at, "the file is more than is taken: more than %d values, or deeper than %d, with what aliases stand for", maxNodes, maxDepth)
		return nil
	}
	return doc.Content[0]
}

// tooMuch is where a document becomes too deep or too large, nil if it does not.
func tooMuch(n *yaml.Node, depth int, left *int) *yaml.Node {
	if *left--; *left < 0 || depth < 0 {
		return n
	}
	if n.Kind == yaml.AliasNode {
		if tooMuch(n.Alias, depth-1, left) != nil {
			return n
		}
		return nil
	}
	for _, inside := range n.Content {
		if at := tooMuch(inside, depth-1, left); at != nil {
			return at
		}
	}
	return nil
}
