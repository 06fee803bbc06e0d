package yamlfile

import (
	"errors"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"warmline.dev/protocol/mistake"
)

// What bounds a file.
const (
	MaxSize   = 1 << 20 // bytes
	MaxDepth  = 24
	MaxValues = 100_000 // with what aliases stand for
)

// Config says what is read. All of it is for messages.
type Config struct {
	File   string // its name
	Has    string // what it has, such as "sources and services"
	Secret bool   // its values may be secrets: messages do not show them
}

// Read finds the one value that a file has, nil if it can't be read: the reader says
// why.
func Read(cfg Config, text []byte) (*Reader, *yaml.Node) {
	r := &Reader{cfg: cfg}
	start := &yaml.Node{Line: 1, Column: 1}
	switch {
	case len(text) > MaxSize:
		r.Wrong(start, "the file has %d bytes; expected at most %d", len(text), MaxSize)
		return r, nil
	case !utf8.Valid(text):
		r.Wrong(start, "the file is not UTF-8")
		return r, nil
	}
	var doc yaml.Node
	if err := yaml.Load(text, &doc, yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(MaxDepth)))); err != nil {
		r.unreadable(start, err)
		return r, nil
	}
	if len(doc.Content) != 1 {
		r.Wrong(start, "the file is empty; expected %s", cfg.Has)
		return r, nil
	}
	left := MaxValues
	switch at := tooMuch(doc.Content[0], MaxDepth, &left); {
	case at == nil:
		return r, doc.Content[0]
	case left < 0:
		r.Wrong(at, "the file has more than %d values, with what aliases stand for; expected fewer", MaxValues)
	default:
		r.Wrong(at, "the file is deeper than %d here, with what aliases stand for; expected less", MaxDepth)
	}
	return r, nil
}

// unreadable tells why a file is no YAML.
func (r *Reader) unreadable(start *yaml.Node, err error) {
	at, why := start, mistake.Clip(err.Error())
	if bad, ok := errors.AsType[*yaml.LoadError](err); ok && bad.Mark.Line > 0 {
		at, why = &yaml.Node{Line: bad.Mark.Line, Column: bad.Mark.Column}, "no YAML: "+mistake.Clip(bad.Message)
	} else if ok { // about the file as a whole
		why = mistake.Clip(strings.TrimPrefix(bad.Message, "yaml: ")) + "; expected one YAML mapping with " + r.cfg.Has
	}
	if r.cfg.Secret { // it may quote
		why = "expected YAML that can be read, one mapping with " + r.cfg.Has
	}
	r.Wrong(at, "%s", why)
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
