package declare

import (
	"fmt"
	"net/url"
	"slices"

	"go.yaml.in/yaml/v4"

	"warmline.dev/edgelayer/source"
	"warmline.dev/protocol/mistake"
	"warmline.dev/protocol/yamlfile"
)

// Declaration is what a file declares. Make it with [Parse], and a [Tier] of it
// with [New].
type Declaration struct {
	sources  []*sourceDecl
	services []*serviceDecl
}

// MaxSize bounds a file, in bytes.
const MaxSize = yamlfile.MaxSize

// Parse reads a declaration. File is its name in messages. The error is a
// [mistake.List].
func Parse(file string, text []byte) (*Declaration, error) {
	in, doc := yamlfile.Read(yamlfile.Config{File: file, Has: "sources and services"}, text)
	d := &Declaration{}
	if doc != nil {
		(&reader{in}).declaration(doc, d)
	}
	if err := in.Err(); err != nil {
		return nil, err
	}
	return d, nil
}

func (r *reader) declaration(doc *yaml.Node, d *Declaration) {
	f := r.Fields(doc, "the file", "sources and services")
	defer f.Done()
	var defaults source.Config
	if n := f.Get("defaults"); n != nil {
		f := r.Fields(n, "defaults", "policies of sources, such as timeout: 400ms")
		r.policies(f, &defaults)
		f.Done()
	}
	sources, services := f.Get("sources"), f.Get("services")
	if !f.Broken() && (yamlfile.IsNull(sources) || yamlfile.IsNull(services)) {
		r.Wrong(f.At, "the file has no sources or no services; expected both")
		return
	}
	for e := range r.Entries(sources, "sources", "sources by name") {
		d.sources = append(d.sources, r.source(e, defaults))
	}
	for e := range r.Entries(services, "services", "services by name") {
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
		return fmt.Errorf("there is no source %q; expected %s", mistake.Clip(name), mistake.Nearest(name, d.SourceNames()))
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
		return fmt.Sprintf("url is %q; expected http://HOST:PORT or https://HOST", mistake.Clip(text))
	}
	return ""
}
