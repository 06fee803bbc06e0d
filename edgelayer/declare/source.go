package declare

import (
	"warmline.dev/edgelayer/source"
)

// sourceDecl is a source as it is declared.
type sourceDecl struct {
	name  string
	reach source.Config // what is not of this process
	reads []*readDecl

	common *fields // headers of all that it is asked; read with each of them
	broken bool    // its mistakes are told: what it lacks is not
}

func (r *reader) source(e entry, defaults source.Config) *sourceDecl {
	s := &sourceDecl{name: e.name(), reach: defaults}
	s.reach.Name = s.name
	if !validName.MatchString(s.name) {
		r.wrong(e.key, "source name %q; expected lower-case letters, digits and '-', at most %d, a letter first", clip(s.name), maxName)
	}
	f := r.fields(e.value, "source "+clip(s.name), "url and reads")
	defer f.done()
	s.broken, s.common = f.broken(), f
	if n := f.get("url"); n != nil {
		for _, u := range r.texts(n, "url", "http://HOST:PORT, or a list of such") {
			if why := wrongURL(u.Value); why != "" {
				r.wrong(u, "%s", why)
			}
			s.reach.URLs = append(s.reach.URLs, u.Value)
		}
	} else if !s.broken {
		r.wrong(e.key, "source %s has no url; expected http://HOST:PORT", clip(s.name))
	}
	r.policies(f, &s.reach)
	var vars variables
	r.headers(f.get("headers"), "headers", &vars)
	for _, v := range vars {
		if _, ok := passportField(v); !ok {
			r.wrong(resolved(f.get("headers")), "headers of a source have %s; expected no variables but the passport's, such as {passport.country}", said(v))
		}
	}
	for e := range r.entries(f.get("reads"), "reads of "+clip(s.name), "what is read, by name") {
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
