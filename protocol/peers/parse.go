package peers

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// MaxSize bounds a file, in bytes.
const MaxSize = 1 << 20

const (
	maxDepth = 8
	maxPeers = 1000
	maxList  = 64 // entries of one list
)

// Parse reads a file of peers. File is its name in messages. The error is
// [Mistakes]: all there are, and nothing in them that stands where a token's hash is
// expected.
func Parse(file string, text []byte) (*Peers, error) {
	r := &reader{file: file, tokens: map[Hash]string{}, certificates: map[string]string{}}
	var declared []Peer
	if doc := r.document(text); doc != nil {
		declared = r.peers(doc)
	}
	if len(r.mistakes) > 0 {
		return nil, r.mistakes.listed()
	}
	p, err := New(declared...)
	if err != nil { // the reader has looked at all of it
		return nil, Mistakes{{File: file, Line: 1, Column: 1, Text: err.Error()}}
	}
	return p, nil
}

// reader walks a document and collects what is wrong with it.
type reader struct {
	file         string
	mistakes     Mistakes
	tokens       map[Hash]string   // whose
	certificates map[string]string // whose
}

func (r *reader) wrong(at *yaml.Node, format string, args ...any) {
	if len(r.mistakes) < 10*maxMistakes {
		r.mistakes = append(r.mistakes, Mistake{File: r.file, Line: at.Line, Column: at.Column, Text: fmt.Sprintf(format, args...)})
	}
}

// document is the one value that the file has, nil if it can't be read.
func (r *reader) document(text []byte) *yaml.Node {
	start := &yaml.Node{Line: 1, Column: 1}
	switch {
	case len(text) > MaxSize:
		r.wrong(start, "the file has more than %d bytes", MaxSize)
		return nil
	case !utf8.Valid(text):
		r.wrong(start, "the file is not UTF-8")
		return nil
	}
	var doc yaml.Node
	if err := yaml.Load(text, &doc, yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth)))); err != nil {
		at := start
		if bad, ok := err.(*yaml.LoadError); ok && bad.Mark.Line > 0 { //nolint:errorlint // it is never wrapped
			at = &yaml.Node{Line: bad.Mark.Line, Column: bad.Mark.Column}
		}
		r.wrong(at, "expected YAML that can be read, one mapping with peers") // not what err says: it may quote
		return nil
	}
	if len(doc.Content) != 1 {
		r.wrong(start, "expected YAML that can be read, one mapping with peers")
		return nil
	}
	return doc.Content[0]
}

// resolved is what an alias stands for.
func resolved(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func describe(n *yaml.Node) string {
	switch n = resolved(n); {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null":
		return "nothing"
	}
	return "text" // it may be a token in the wrong place
}

// entries are those of a mapping, each name once.
func (r *reader) entries(n *yaml.Node, what, how string) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		n := resolved(n)
		if n.Kind != yaml.MappingNode {
			r.wrong(n, "%s is %s; expected %s", what, describe(n), how)
			return
		}
		lines := map[string]int{}
		for pair := range slices.Chunk(n.Content, 2) {
			key := resolved(pair[0])
			switch {
			case key.Kind != yaml.ScalarNode:
				r.wrong(pair[0], "a name in %s is %s; expected %s", what, describe(key), how)
			case lines[key.Value] != 0:
				r.wrong(pair[0], "%q is in %s twice, in line %d too", plain(key.Value), what, lines[key.Value])
			default:
				lines[key.Value] = key.Line
				if !yield(key, pair[1]) {
					return
				}
			}
		}
	}
}

func (r *reader) peers(doc *yaml.Node) (declared []Peer) {
	given := false
	for key, value := range r.entries(doc, "the file", "peers: and a peer under each name") {
		if key.Value != "peers" {
			r.wrong(key, "the file has no %q; expected peers", plain(key.Value))
			continue
		}
		given = true
		for key, value := range r.entries(value, "peers", "a peer under each name") {
			if len(declared) == maxPeers {
				r.wrong(key, "there are more than %d peers", maxPeers)
				break
			}
			declared = append(declared, r.peer(key, value))
		}
	}
	if !given && len(r.mistakes) == 0 {
		r.wrong(resolved(doc), "the file has no peers; expected peers: and a peer under each name")
	}
	return declared
}

// peer reads one.
func (r *reader) peer(name, n *yaml.Node) Peer {
	p := Peer{Name: name.Value}
	if !validName.MatchString(p.Name) {
		r.wrong(name, "%q is no name of a peer; expected %s", plain(p.Name), howName)
	}
	before := len(r.mistakes)
	what := "peer " + plain(p.Name)
	for key, value := range r.entries(n, what, "certificate or tokens, and what it may do") {
		switch key.Value {
		case "certificate":
			p.Certificates = r.certificate(p.Name, what, value)
		case "tokens":
			p.Tokens = r.hashes(p.Name, what, value)
		case "offers":
			p.Offers = r.names(what+" offers", "adapters", value)
		case "calls":
			p.Calls = r.names(what+" calls", "services", value)
		case "changes-passports":
			p.Changes = r.yes(what+": changes-passports", value)
		case "hands-over":
			p.HandsOver = r.yes(what+": hands-over", value)
		case "operates":
			p.Operates = r.yes(what+": operates", value)
		default:
			r.wrong(key, "%s has no %q; expected one of calls, certificate, changes-passports, hands-over, offers, operates, tokens", what, plain(key.Value))
		}
	}
	if len(r.mistakes) > before {
		return p
	}
	if why := p.wrong(); why == noProof || why == noRight {
		r.wrong(name, "%s: %s", what, why)
	}
	return p
}

// list is a scalar or a list of scalars. What it has instead is not shown.
func (r *reader) list(what, how string, n *yaml.Node) []*yaml.Node {
	v := resolved(n)
	elements := []*yaml.Node{v}
	if v.Kind == yaml.SequenceNode {
		elements = v.Content
	}
	if len(elements) > maxList {
		r.wrong(n, "%s has %d entries; expected at most %d", what, len(elements), maxList)
		return nil
	}
	var scalars []*yaml.Node
	for _, e := range elements {
		if s := resolved(e); s.Kind == yaml.ScalarNode && s.ShortTag() != "!!null" && s.Value != "" {
			scalars = append(scalars, s)
			continue
		}
		r.wrong(e, "%s: expected %s", what, how)
	}
	if len(elements) == 0 {
		r.wrong(n, "%s is an empty list; expected %s", what, how)
	}
	return scalars
}

func (r *reader) certificate(peer, what string, n *yaml.Node) (names []string) {
	for _, e := range r.list(what+": certificate", "a DNS name or a URI, or a list of them", n) {
		if why := wrongCertificate(e.Value); why != "" {
			r.wrong(e, "%s: %s", what, why)
			continue
		}
		if other, taken := r.certificates[e.Value]; taken {
			r.wrong(e, "%s: certificate %s is that of peer %s already", what, plain(e.Value), plain(other))
			continue
		}
		r.certificates[e.Value] = peer
		names = append(names, e.Value)
	}
	return names
}

func (r *reader) hashes(peer, what string, n *yaml.Node) (hashes []Hash) {
	for _, e := range r.list(what+": tokens", "a list of sha256: and 64 hex digits each, as warmline peer token prints them", n) {
		h, err := ParseHash(e.Value)
		if err != nil {
			r.wrong(e, "%s: a token: %v", what, err)
			continue
		}
		if other, taken := r.tokens[h]; taken {
			r.wrong(e, "%s: this token is one of peer %s already", what, plain(other))
			continue
		}
		r.tokens[h] = peer
		hashes = append(hashes, h)
	}
	return hashes
}

func (r *reader) names(what, kind string, n *yaml.Node) (names []string) {
	for _, e := range r.list(what, "names of "+kind+`, or "*" for all`, n) {
		if e.Value != all && !validName.MatchString(e.Value) {
			r.wrong(e, `%s %q; expected %s, or "*" for all`, what, plain(e.Value), howName)
			continue
		}
		names = append(names, e.Value)
	}
	return names
}

func (r *reader) yes(what string, n *yaml.Node) bool {
	v := resolved(n)
	if v.ShortTag() != "!!bool" {
		r.wrong(n, "%s is %q; expected true or false", what, plain(v.Value))
	}
	return strings.EqualFold(v.Value, "true")
}
