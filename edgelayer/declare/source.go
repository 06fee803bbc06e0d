package declare

import (
	"warmline.dev/edgelayer/source"
	"warmline.dev/protocol/mistake"
	"warmline.dev/protocol/yamlfile"
)

// sourceDecl is a source as it is declared.
type sourceDecl struct {
	name  string
	reach source.Config // what is not of this process
	reads []*readDecl

	common *yamlfile.Fields // headers of all that it is asked; read with each of them
	broken bool             // its mistakes are told: what it lacks is not
}

func (r *reader) source(e yamlfile.Entry, defaults source.Config) *sourceDecl {
	s := &sourceDecl{name: e.Name(), reach: defaults}
	s.reach.Name = s.name
	if !validName.MatchString(s.name) {
		r.Wrong(e.Key, "source name %q; expected lower-case letters, digits and '-', at most %d, a letter first", mistake.Clip(s.name), maxName)
	}
	f := r.Fields(e.Value, "source "+mistake.Clip(s.name), "url and reads")
	defer f.Done()
	s.broken, s.common = f.Broken(), f
	if n := f.Get("url"); n != nil {
		for _, u := range r.Texts(n, "url", "http://HOST:PORT, or a list of such") {
			if why := wrongURL(u.Value); why != "" {
				r.Wrong(u, "%s", why)
			}
			s.reach.URLs = append(s.reach.URLs, u.Value)
		}
	} else if !s.broken {
		r.Wrong(e.Key, "source %s has no url; expected http://HOST:PORT", mistake.Clip(s.name))
	}
	r.policies(f, &s.reach)
	var vars variables
	r.headers(f.Get("headers"), "headers", &vars)
	for _, v := range vars {
		if _, ok := passportField(v); !ok {
			r.Wrong(yamlfile.Resolved(f.Get("headers")), "headers of a source have %s; expected no variables but the passport's, such as {passport.country}", said(v))
		}
	}
	for e := range r.Entries(f.Get("reads"), "reads of "+mistake.Clip(s.name), "what is read, by name") {
		s.reads = append(s.reads, r.read(e, s))
	}
	return s
}

// read is the one of that name, nil if there is none.
func (s *sourceDecl) read(name string) *readDecl {
	for _, rd := range s.reads {
		if rd.name == name {
			return rd
		}
	}
	return nil
}
