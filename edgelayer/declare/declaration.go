package declare

import (
	"fmt"
	"net/url"
	"slices"

	"go.yaml.in/yaml/v4"

	"warmline.dev/edgelayer/source"
)

// Declaration is what a file declares. Make it with [Parse], and a [Tier] of it
// with [New].
type Declaration struct {
	sources  []*sourceDecl
	services []*serviceDecl
}

// Parse reads a declaration. File is its name in messages. The error is
// [Mistakes].
func Parse(file string, text []byte) (*Declaration, error) {
	r := &reader{file: file}
	d := &Declaration{}
	if doc := r.document(text); doc != nil {
		r.declaration(doc, d)
	}
	if len(r.mistakes) > 0 {
		return nil, r.mistakes.listed(file)
	}
	return d, nil
}

func (r *reader) declaration(doc *yaml.Node, d *Declaration) {
	f := r.fields(doc, "the file", "sources and services")
	defer f.done()
	var defaults source.Config
	if n := f.get("defaults"); n != nil {
		f := r.fields(n, "defaults", "policies of sources, such as timeout: 400ms")
		r.policies(f, &defaults)
		f.done()
	}
	sources, services := f.get("sources"), f.get("services")
	if !f.broken() && (isNull(sources) || isNull(services)) {
		r.wrong(f.at, "the file has no sources or no services; expected both")
		return
	}
	for e := range r.entries(sources, "sources", "sources by name") {
		d.sources = append(d.sources, r.source(e, defaults))
	}
	for e := range r.entries(services, "services", "services by name") {
		d.services = append(d.services, r.service(e, d)...)
	}
	d.hint()
	d.relate()
}

// source is the one of that name, nil if there is none.
func (d *Declaration) source(name string) *sourceDecl {
	for _, s := range d.sources {
		if s.name == name {
			return s
		}
	}
	return nil
}

// SourceNames are the names of the sources, in the order of the file.
func (d *Declaration) SourceNames() (names []string) {
	for _, s := range d.sources {
		names = append(names, s.name)
	}
	return names
}

// SetURL has a source reached elsewhere than the file says.
func (d *Declaration) SetURL(name string, urls ...string) error {
	s := d.source(name)
	if s == nil {
		return fmt.Errorf("there is no source %q; expected %s", clip(name), nearest(name, d.SourceNames()))
	}
	if len(urls) == 0 {
		return fmt.Errorf("source %s: no URL; expected http://HOST:PORT", name)
	}
	for _, u := range urls {
		if why := wrongURL(u); why != "" {
			return fmt.Errorf("source %s: %s", name, why)
		}
	}
	s.reach.URLs = slices.Clone(urls)
	return nil
}

// wrongURL says what is wrong with the URL of a source, "" if nothing is.
func wrongURL(text string) string {
	u, err := url.Parse(text)
	if err == nil && u.User != nil {
		text = u.Redacted() // a password is in no message
	}
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Sprintf("url is %q; expected http://HOST:PORT or https://HOST", clip(text))
	}
	return ""
}
