package yamlfile

import (
	"fmt"

	"go.yaml.in/yaml/v4"

	"warmline.dev/protocol/mistake"
)

// Reader collects what is wrong with the value of a file. [Read] makes one; the zero
// Reader is of no file, for what is read and nobody is to be told.
//
// What a method is given as what and how stands in messages: "what is a list; expected
// how". A value that is nil is one that is not given.
type Reader struct {
	cfg      Config
	mistakes mistake.List
}

// Wrong collects a mistake at the place of a value.
func (r *Reader) Wrong(at *yaml.Node, format string, args ...any) {
	if len(r.mistakes) < MaxValues {
		r.mistakes = append(r.mistakes, mistake.At{File: r.cfg.File, Line: at.Line, Column: at.Column, Text: fmt.Sprintf(format, args...)})
	}
}

// Len is how many mistakes there are so far.
func (r *Reader) Len() int { return len(r.mistakes) }

// Err is the mistakes as they are told, a [mistake.List]; nil if there are none. It is
// asked once, at the end.
func (r *Reader) Err() error {
	if len(r.mistakes) == 0 {
		return nil
	}
	return r.mistakes.Told()
}

// Resolved is a value itself, where an alias stands for it.
func Resolved(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// IsNull reports whether a value is not given, or null.
func IsNull(n *yaml.Node) bool {
	n = Resolved(n)
	return n == nil || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// Describe is a value in few words, for messages: "a list", or what stands there.
func (r *Reader) Describe(n *yaml.Node) string {
	switch n = Resolved(n); {
	case IsNull(n):
		return "nothing"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case r.cfg.Secret && n.Value != "":
		return "text"
	}
	return fmt.Sprintf("%q", mistake.Clip(n.Value))
}
