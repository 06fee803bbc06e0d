package declare

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"warmline.dev/edgelayer/source"
	"warmline.dev/protocol"
	"warmline.dev/protocol/mistake"
)

// request fills the template. The types are those of the variables, for the body.
// An error is the fault of a value.
func (a *asks) request(values []value, types []kind, repeat bool) (source.Request, error) {
	req := source.Request{Method: a.method}
	path, err := a.path(values, repeat)
	if err != nil {
		return req, err
	}
	req.Path = path
	if len(a.headers) > 0 {
		req.Header = make(http.Header, len(a.headers))
	}
	for _, h := range a.headers {
		text, there := h.value.fill(values, func(s string) string { return s })
		if c := strings.IndexFunc(text, notInHeader); c >= 0 {
			return req, protocol.Errorf(protocol.InvalidArgument, "what the header %s is made of has %q in it, which a header can't have", h.name, []rune(text[c:])[0])
		}
		if there {
			req.Header.Set(h.name, text)
		}
	}
	if a.body != nil {
		if req.Body, err = a.body.render(nil, values, types); err != nil {
			return req, err
		}
	}
	return req, nil
}

// path is the path with its query, every value escaped.
func (a *asks) path(values []value, repeat bool) (string, error) {
	var b strings.Builder
	for _, segment := range a.target.segments {
		text, _ := segment.fill(values, url.PathEscape)
		if !segment.fixed() && (text == "" || text == "." || text == "..") {
			return "", protocol.Errorf(protocol.InvalidArgument, "%s is %q, which can't stand in a path", segment.names(a.vars), text)
		}
		b.WriteByte('/')
		b.WriteString(text)
	}
	sep := byte('?')
	put := func(name, text string) {
		b.WriteByte(sep)
		b.WriteString(name)
		b.WriteString(text)
		sep = '&'
	}
	for _, p := range a.target.query {
		if v := p.value.alone(); repeat && v != literal && values[v].list != nil {
			for _, e := range values[v].list {
				put(p.name, url.QueryEscape(e))
			}
			continue
		}
		if text, there := p.value.fill(values, url.QueryEscape); there {
			put(p.name, text)
		}
	}
	return b.String(), nil
}

// fill puts values into the places of the variables. A list is separated by
// commas. There is false if a value is absent.
func (ps pieces) fill(values []value, escape func(string) string) (s string, there bool) {
	var b strings.Builder
	for _, p := range ps {
		if p.variable == literal {
			b.WriteString(p.text)
			continue
		}
		v := &values[p.variable]
		if v.absent {
			return "", false
		}
		if v.list == nil {
			b.WriteString(escape(v.text))
		}
		for i, e := range v.list {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(escape(e))
		}
	}
	return b.String(), true
}

// names are the variables of a template, for messages.
func (ps pieces) names(vars variables) string {
	var list []string
	for _, p := range ps {
		if p.variable != literal {
			list = append(list, vars[p.variable])
		}
	}
	return strings.Join(list, ", ")
}

// render appends the body with its variables filled in. A field whose value is
// absent is left out.
func (b *body) render(dst []byte, values []value, types []kind) ([]byte, error) {
	var err error
	switch {
	case b.isFields:
		dst = append(dst, '{')
		first := len(dst)
		for i := range b.fields {
			f := &b.fields[i]
			if f.value.absent(values) {
				continue
			}
			if len(dst) > first {
				dst = append(dst, ',')
			}
			dst = append(append(dst, f.name...), ':')
			if dst, err = f.value.render(dst, values, types); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	case b.isList:
		dst = append(dst, '[')
		first := len(dst)
		for i := range b.list {
			if b.list[i].absent(values) {
				continue
			}
			if len(dst) > first {
				dst = append(dst, ',')
			}
			if dst, err = b.list[i].render(dst, values, types); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case b.text == nil:
		return append(dst, b.json...), nil
	case b.absent(values):
		return append(dst, "null"...), nil
	}
	v := b.text.alone()
	if v == literal {
		filled, _ := b.text.fill(values, func(s string) string { return s })
		return appendText(dst, filled, text)
	}
	if values[v].list == nil {
		return appendText(dst, values[v].text, types[v])
	}
	dst = append(dst, '[')
	for i, e := range values[v].list {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendText(dst, e, types[v]); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

// absent reports whether there is nothing to put into the place.
func (b *body) absent(values []value) bool {
	for _, p := range b.text {
		if p.variable != literal && values[p.variable].absent {
			return true
		}
	}
	return false
}

// appendText appends a value as JSON of its type.
func appendText(dst []byte, s string, k kind) ([]byte, error) {
	if k == integer || k == number || k == boolean {
		canonical, err := k.canonical(s) // a key can come from elsewhere
		if err != nil {
			return nil, fmt.Errorf("%q is not %s", mistake.Clip(s), article(k))
		}
		return append(dst, canonical...), nil
	}
	quoted, err := json.Marshal(s)
	return append(dst, quoted...), err
}
