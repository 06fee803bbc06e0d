package declare

import (
	"net/http"

	"go.yaml.in/yaml/v4"

	"warmline.dev/protocol/mistake"
	"warmline.dev/protocol/yamlfile"
)

// asks is what a source is asked, with variables in it.
type asks struct {
	method  string // of HTTP
	target  target
	headers []header
	body    *body
	vars    variables // in the order in which they appear
}

// verb is a method of HTTP as a declaration has it.
type verb struct{ field, method string }

var (
	readVerbs  = []verb{{"get", http.MethodGet}, {"post", http.MethodPost}}
	writeVerbs = []verb{{"put", http.MethodPut}, {"post", http.MethodPost}, {"patch", http.MethodPatch}, {"delete", http.MethodDelete}}
)

// asks reads the request that a read or a write is.
func (r *reader) asks(f *yamlfile.Fields, at *yaml.Node, verbs []verb, of *sourceDecl) (a asks) {
	names := make([]string, 0, len(verbs))
	for _, v := range verbs {
		names = append(names, v.field)
		n := f.Get(v.field)
		switch {
		case n == nil:
		case a.method != "":
			r.Wrong(n, "%s has %s too; expected only one request", f.What, v.field)
		default:
			a.method = v.method
			a.target = r.target(n, v.field, &a.vars)
		}
	}
	if a.method == "" && !f.Broken() {
		r.Wrong(at, "%s asks nothing; expected %s with a path", f.What, mistake.Nearest(names[0], names))
	}
	a.headers = r.headers(f.Get("headers"), "headers", &a.vars)
	if of != nil && !of.broken {
		untold := &reader{&yamlfile.Reader{}} // what is wrong with them is told once, of the source
		a.headers = merged(a.headers, untold.headers(of.common.Get("headers"), "headers", &a.vars))
	}
	if n := f.Get("body"); n != nil {
		b := r.body(n, &a.vars)
		a.body = &b
		if a.method == http.MethodGet {
			r.Wrong(n, "%s has a body; expected none with get", f.What)
		}
	}
	return a
}

// merged is the headers of a request with those of its source, which it may
// give anew.
func merged(own, common []header) []header {
	for _, h := range common {
		again := false
		for _, o := range own {
			again = again || http.CanonicalHeaderKey(o.name) == http.CanonicalHeaderKey(h.name)
		}
		if !again {
			own = append(own, h)
		}
	}
	return own
}

// eachText calls f with what has variables in it, and where it is: "path",
// "query", "headers" or "body".
func (a *asks) eachText(f func(where string, ps pieces)) {
	for _, s := range a.target.segments {
		f("path", s)
	}
	for _, p := range a.target.query {
		f("query", p.value)
	}
	for _, h := range a.headers {
		f("headers", h.value)
	}
	if a.body != nil {
		a.body.eachText(func(ps pieces) { f("body", ps) })
	}
}

// where lists the places where a variable is; alone is false if it shares one.
func (a *asks) where(variable int) (places []string, alone bool) {
	alone = true
	a.eachText(func(where string, ps pieces) {
		if ps.has(variable) {
			places = append(places, where)
			alone = alone && ps.alone() == variable
		}
	})
	return places, alone
}
