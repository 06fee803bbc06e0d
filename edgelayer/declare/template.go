package declare

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"warmline.dev/protocol/mistake"
	"warmline.dev/protocol/yamlfile"
)

// literal is the place of no variable.
const literal = -1

// piece is a part of a template: text as it is, or a variable.
type piece struct {
	text     string
	variable int // its place, or literal
}

type pieces []piece

// alone is the one variable that the pieces are, literal if they are more.
func (ps pieces) alone() int {
	if len(ps) == 1 {
		return ps[0].variable
	}
	return literal
}

func (ps pieces) has(variable int) bool {
	for _, p := range ps {
		if p.variable == variable && variable != literal {
			return true
		}
	}
	return false
}

func (ps pieces) fixed() bool {
	for _, p := range ps {
		if p.variable != literal {
			return false
		}
	}
	return true
}

// pieces takes a template apart. The variables in it are added to vars.
func (r *reader) pieces(at *yaml.Node, text string, vars *variables) (ps pieces) {
	for text != "" {
		open := strings.IndexAny(text, "{}")
		if open < 0 {
			return append(ps, piece{text, literal})
		}
		end := strings.IndexByte(text, '}')
		if text[open] == '}' || end < 0 || strings.IndexByte(text[open+1:end], '{') >= 0 {
			r.Wrong(at, "%q has a brace without the other; expected {name}", mistake.Clip(text))
			return ps
		}
		if open > 0 {
			ps = append(ps, piece{text[:open], literal})
		}
		name := text[open+1 : end]
		if why := wrongVariable(name); why != "" {
			r.Wrong(at, "%s", why)
		} else {
			ps = append(ps, piece{variable: vars.place(name)})
		}
		text = text[end+1:]
	}
	return ps
}

// target is the path of a request with its query.
type target struct {
	segments []pieces // of the path, between the slashes
	query    []pair
}

// pair is NAME=VALUE of a query, or a literal without a value.
type pair struct {
	name  string // with its "="
	value pieces
}

// target takes apart what is behind the URL of a source.
func (r *reader) target(n *yaml.Node, what string, vars *variables) (t target) {
	const how = "a path such as /films/{id} or /films?ids={id}"
	text, ok := r.Text(n, what, how)
	if !ok {
		return t
	}
	at := yamlfile.Resolved(n)
	if c := strings.IndexFunc(text, notInURL); c >= 0 {
		r.Wrong(at, "%s has %q in it; expected %s, escaped as in a URL", what, []rune(text[c:])[0], how)
		return t
	}
	path, query, asks := strings.Cut(text, "?")
	path, rooted := strings.CutPrefix(path, "/")
	if !rooted {
		r.Wrong(at, "%s is %q; expected %s", what, mistake.Clip(text), how)
		return t
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			r.Wrong(at, "%s has %q in it; expected the path without it", what, segment)
		}
		t.segments = append(t.segments, r.pieces(at, segment, vars))
	}
	if !asks {
		return t
	}
	for part := range strings.SplitSeq(query, "&") {
		name, value, equals := strings.Cut(part, "=")
		if strings.ContainsAny(name, "{}") {
			r.Wrong(at, "%s has %q in its query; expected NAME={variable}", what, mistake.Clip(part))
			continue
		}
		p := pair{name: name}
		if equals {
			p.name += "="
			p.value = r.pieces(at, value, vars)
		}
		t.query = append(t.query, p)
	}
	return t
}

// notInURL reports what a path or a query can't have in it as it is.
func notInURL(c rune) bool { return c <= ' ' || c >= 0x7F || strings.ContainsRune("\"<>\\^`|#", c) }

// header is NAME: VALUE.
type header struct {
	name  string
	value pieces
}

// headers reads those of a source, a read or a write.
func (r *reader) headers(n *yaml.Node, what string, vars *variables) (list []header) {
	const how = "headers, such as Accept-Language: en"
	if n == nil {
		return nil
	}
	for e := range r.Entries(n, what, how) {
		name := e.Name()
		value, ok := r.Text(e.Value, name, "the value of a header")
		switch {
		case !ok:
		case !isToken(name):
			r.Wrong(e.Key, "%q is no name of a header; expected %s", mistake.Clip(name), how)
		case isOwnHeader(name):
			r.Wrong(e.Key, "%s is set by the edge itself; expected other headers", name)
		case strings.IndexFunc(value, notInHeader) >= 0:
			r.Wrong(e.Value, "%s has characters that a header can't have; expected printable ASCII", name)
		default:
			list = append(list, header{name, r.pieces(yamlfile.Resolved(e.Value), value, vars)})
		}
	}
	return list
}

// isOwnHeader reports what a declaration can't set: what frames the request, and
// the trace.
func isOwnHeader(name string) bool {
	switch strings.ToLower(name) {
	case "host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade", "keep-alive", "proxy-connection", "expect", "traceparent":
		return true
	}
	return false
}

func notInHeader(c rune) bool { return c < ' ' || c >= 0x7F }

func isToken(name string) bool {
	for _, c := range name {
		if c <= ' ' || c >= 0x7F || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c) {
			return false
		}
	}
	return name != ""
}
