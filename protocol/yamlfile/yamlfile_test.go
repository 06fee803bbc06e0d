package yamlfile_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"warmline.dev/internal/wildcard"
	"warmline.dev/protocol/mistake"
	"warmline.dev/protocol/yamlfile"
)

// line is what the tests' files have, and what they have inside.
type line struct {
	name   string
	hosts  []string
	open   bool
	inside []line
}

func read(cfg yamlfile.Config, text string) (line, error) {
	r, doc := yamlfile.Read(cfg, []byte(text))
	var l line
	if doc != nil {
		l = readLine(r, doc, "the file")
	}
	if err := r.Err(); (err != nil) != (r.Len() > 0) || doc == nil && err == nil {
		return l, fmt.Errorf("%d mistakes, and %w", r.Len(), err)
	}
	return l, r.Err()
}

func readLine(r *yamlfile.Reader, n *yaml.Node, what string) (l line) {
	f := r.Fields(n, what, "name, hosts and open")
	defer f.Done()
	l.name, _ = r.Text(f.Get("name"), "name", "a name")
	for _, host := range r.Texts(f.Get("hosts"), "hosts", "HOST, or a list of them") {
		l.hosts = append(l.hosts, host.Value)
	}
	l.open = r.Yes(f.Get("open"), "open")
	for e := range r.Entries(f.Get("inside"), "inside", "lines by name") {
		l.inside = append(l.inside, readLine(r, e.Value, mistake.Clip(e.Name())))
	}
	if l.name == "" && f.At != nil && !f.Broken() && r.Len() == 0 {
		r.Wrong(f.At, "%s has no name", f.What)
	}
	return l
}

func TestWhatIsThereIsRead(t *testing.T) {
	l, err := read(yamlfile.Config{File: "a.yaml"}, `
name: tv
hosts: &hosts [a.example, "17"]
open: True
inside:
  a: &a {name: "true", hosts: *hosts, open: false}
  b: *a
  c: {name: 1.10, hosts: c.example, inside: ~}
`)
	if got, want := fmt.Sprint(l, err), "{tv [a.example 17] true [{true [a.example 17] false []} {true [a.example 17] false []} {1.10 [c.example] false []}]} <nil>"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Each text with what is said of it, and what is said if it may be a secret: "": the
// same.
func TestEveryMistakeHasItsPlace(t *testing.T) {
	const unreadable = "expected YAML that can be read, one mapping with lines"
	for text, want := range map[string]struct{ open, secret string }{
		"name: [hush]":                      {"1:7: name is a list; expected a name", ""},
		"name: {hush: hush}":                {"1:7: name is a mapping; expected a name", ""},
		"name: ":                            {"1:6: name is nothing; expected a name", ""},
		"name: ''":                          {`1:7: name is ""; expected a name`, ""},
		"name: &h [hush]\nhosts: *h":        {"1:7: name is a list; expected a name", ""},
		"- hush":                            {"1:1: the file is a list; expected name, hosts and open", ""},
		"hush":                              {`1:1: the file is "hush"; expected name, hosts and open`, "1:1: the file is text; expected name, hosts and open"},
		"{}":                                {"1:1: the file has no name", ""},
		"~":                                 {"1:1: the file has no name", ""},
		"name: a\nopen: hush":               {`2:7: open is "hush"; expected true or false`, "2:7: open is text; expected true or false"},
		"name: a\nopen: 'true'":             {`2:7: open is "true"; expected true or false`, "2:7: open is text; expected true or false"},
		"name: a\nopen: !!bool hush":        {`2:7: open is "hush"; expected true or false`, "2:7: open is text; expected true or false"},
		"name: a\nopen: [true]":             {"2:7: open is a list; expected true or false", ""},
		"name: a\nopen: ":                   {"2:6: open is nothing; expected true or false", ""},
		"name: a\nhosts: []":                {"2:8: hosts is an empty list; expected HOST, or a list of them", ""},
		"name: a\nhosts: [a, {}, '']":       {"2:12: hosts is a mapping; expected HOST, or a list of them\n2:16: hosts is \"\"; expected HOST, or a list of them", ""},
		"name: a\nhosts: {}":                {"2:8: hosts is a mapping; expected HOST, or a list of them", ""},
		"name: a\ninside: hush":             {`2:9: inside is "hush"; expected lines by name`, "2:9: inside is text; expected lines by name"},
		"name: a\nnam: b\nx: hush":          {"2:1: the file has no \"nam\"; expected one of name, …\n3:1: the file has no \"x\"; expected one of …", ""},
		"name: a\nopen: true\nname: hush":   {`3:1: "name" is in the file twice, in line 1 too`, ""},
		"name: a\n? [hush]\n: b":            {"2:3: a name in the file is a list; expected name, hosts and open", ""},
		"&n name: a\n*n : hush":             {`2:1: "name" is in the file twice, in line 1 too`, ""},
		"name: a\ninside: {\"x\\n\\e\": 1}": {`2:19: x?? is "1"; expected name, hosts and open`, "2:19: x?? is text; expected name, hosts and open"},
		"<<: {name: a}\nname: a":            {`1:1: the file has no "<<"; expected one of …`, ""},

		"":                                   {"1:1: no documents in stream; expected one YAML mapping with lines", "1:1: " + unreadable},
		"name: a\n---\nname: b":              {"1:1: expected single document, found multiple; expected one YAML mapping with lines", "1:1: " + unreadable},
		"name: [hush":                        {"…: no YAML: did not find expected ',' or ']'", "…: " + unreadable},
		"name: *hush":                        {"1:…: no YAML: unknown anchor 'hush' referenced", "1:…: " + unreadable},
		"name: \xff":                         {"1:1: the file is not UTF-8", ""},
		"name: *" + strings.Repeat("h", 300): {"1:7: no YAML: unknown anchor 'hhh…", "1:7: " + unreadable},
		"name: a\nx: &x [*x]":                {"2:8: the file is deeper than 24 here, with what aliases stand for; expected less", ""},
		"x: " + strings.Repeat("[", 30) + strings.Repeat("]", 30): {"1:…: no YAML: exceeded max depth of 24", "1:…: " + unreadable},
		through(yamlfile.MaxDepth + 1):                            {"2:16: the file is deeper than 24 here, with what aliases stand for; expected less", ""},
		laughs:                                                    {"5:26: the file has more than 100000 values, with what aliases stand for; expected fewer", ""},

		"x: [" + strings.Repeat("1,", yamlfile.MaxValues) + "]": {"1:…: the file has more than 100000 values, with what aliases stand for; expected fewer", ""},
		strings.Repeat("#", yamlfile.MaxSize+1):                 {"1:1: the file has 1048577 bytes; expected at most 1048576", ""},
	} {
		for _, secret := range []bool{false, true} {
			said := want.open
			if secret && want.secret != "" {
				said = want.secret
			}
			_, err := read(yamlfile.Config{File: "a.yaml", Has: "lines", Secret: secret}, text)
			list, _ := errors.AsType[mistake.List](err)
			lines := strings.Split(said, "\n")
			if len(list) != len(lines) || !slices.EqualFunc(list, lines, func(a mistake.At, w string) bool {
				return wildcard.Match(a.String(), "a.yaml:"+w) && len(a.String()) < 300
			}) {
				t.Errorf("%.80q, secret %t:\n got %v\nwant %s", text, secret, err, said)
			}
			if secret && strings.Contains(fmt.Sprint(err), "hush") {
				t.Errorf("%.80q: a secret is in %v", text, err)
			}
		}
	}
}

// laughs has 11,111 values, ten times.
const laughs = `a: &a [x,x,x,x,x,x,x,x,x,x]
b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]
c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]
d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]
e: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]`

// through is as many lists in each other, the inner twelve by an alias, which counts too.
func through(deep int) string {
	inner, outer := 12, deep-13
	return "name: &in " + strings.Repeat("[", inner) + strings.Repeat("]", inner) + "\nx: " + strings.Repeat("[", outer) + "*in" + strings.Repeat("]", outer)
}

// What may be as large as it can be is read.
func TestTheBoundsThemselves(t *testing.T) {
	for what, text := range map[string]string{
		"size":    "name: a\n" + strings.Repeat("#", yamlfile.MaxSize-8),
		"values":  "name: [" + strings.Repeat("1,", yamlfile.MaxValues-4) + "1]",
		"depth":   "name: " + strings.Repeat("[", yamlfile.MaxDepth-1) + strings.Repeat("]", yamlfile.MaxDepth-1),
		"aliases": through(yamlfile.MaxDepth),
	} {
		if _, doc := yamlfile.Read(yamlfile.Config{File: "a.yaml"}, []byte(text)); doc == nil {
			t.Errorf("%s: it is not read", what)
		}
	}
}

func TestAReaderOfNoFile(t *testing.T) {
	_, doc := yamlfile.Read(yamlfile.Config{}, []byte("name: []"))
	var r yamlfile.Reader
	if readLine(&r, doc, "it"); r.Len() != 1 {
		t.Errorf("%d mistakes", r.Len())
	}
	if !yamlfile.IsNull(nil) || yamlfile.Resolved(nil) != nil || r.Describe(nil) != "nothing" {
		t.Error("what is not given is not nothing")
	}
}

// Whatever a file holds, all that is wrong with it has a place in it, and none of what may be
// secret is told.
func FuzzRead(f *testing.F) {
	f.Add("name: tv\nhosts: &h [a, b]\nopen: true\ninside: {a: {name: b, hosts: *h}}")
	f.Add("name: *hush")
	f.Add("name: &x [*x]")
	f.Add(laughs)
	f.Fuzz(func(t *testing.T, text string) {
		for _, secret := range []bool{false, true} {
			_, err := read(yamlfile.Config{File: "a.yaml", Has: "lines", Secret: secret}, text)
			if err == nil {
				continue
			}
			list, ok := err.(mistake.List) //nolint:errorlint // it is never wrapped
			if !ok || len(list) == 0 || len(list) > mistake.Most+1 {
				t.Fatalf("%#v", err)
			}
			for _, a := range list[:min(len(list), mistake.Most)] {
				if a.Line < 1 || a.Line > strings.Count(text, "\n")+strings.Count(text, "\r")+2 || a.Column < 1 || len(a.Text) > 1000 || strings.ContainsAny(a.Text, "\n\r\x1b") {
					t.Fatalf("%q: %+v", text, a)
				}
			}
		}
	})
}
