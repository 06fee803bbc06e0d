package cookie_test

import (
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/passport"
	"warmline.dev/passport/cookie"
)

// documented fails the test if an error is none of those that are documented, or comes
// with a cookie.
func documented(t *testing.T, c cookie.Cookie, err error) {
	t.Helper()
	if err != nil && !slices.ContainsFunc(all, func(one error) bool { return errors.Is(err, one) }) {
		t.Fatal(err)
	}
	if d := cmp.Diff(cookie.Cookie{}, c); err != nil && d != "" {
		t.Fatalf("%v, and\n%s", err, d)
	}
}

// No value opens but those that were sealed.
func FuzzOpen(f *testing.F) {
	j := newJar(f, cookie.Config{Keys: []passport.Key{goldenKey, {Name: "k2", Secret: make([]byte, 40)}}, Audience: goldenAudience})
	f.Add(seal(f, goldenKey, goldenNonce, goldenBody))
	f.Add(seal(f, passport.Key{Name: "k2", Secret: append(make([]byte, 39), 1)}, goldenNonce, goldenBody))
	f.Add(seal(f, goldenKey, goldenNonce, unhex("df ffffffff")))
	f.Add("AQcyMDI2LTAx" + strings.Repeat("A", 80))
	f.Add("")
	f.Fuzz(func(t *testing.T, value string) {
		c, err := j.Open(value, golden.Issued)
		documented(t, c, err)
		if d := cmp.Diff(golden, c); err == nil && d != "" {
			t.Fatalf("%s opens as\n%s", value, d)
		}
	})
}

// What whoever has the key may have sealed: it is read as it is sealed again.
func FuzzBody(f *testing.F) {
	j := goldenJar(f)
	f.Add(goldenBody)
	f.Add(unhex("df ffffffff"))
	f.Add(append(goldenBody[:len(goldenBody):len(goldenBody)], unhex("0d 81 a0 c420"+strings.Repeat("00", 32))...))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := j.Open(seal(t, goldenKey, goldenNonce, body), golden.Issued)
		documented(t, c, err)
		if err != nil {
			return
		}
		value, err := j.Seal(c)
		if err != nil { // fields beyond their bounds
			return
		}
		if again, err := j.Open(value, golden.Issued); err == nil {
			if len(c.Passport.Preferences) == 0 {
				c.Passport.Preferences = nil
			}
			if len(c.Passport.References) == 0 {
				c.Passport.References = nil
			}
			if d := cmp.Diff(c, again); d != "" {
				t.Fatal(d)
			}
		}
	})
}

// What devices send.
func FuzzRead(f *testing.F) {
	j := goldenJar(f)
	name, value := j.Name(), seal(f, goldenKey, goldenNonce, goldenBody)
	f.Add(name+"="+value, "")
	f.Add("a=b;;=;", " "+name+" = "+value+" ; "+name)
	f.Add(name+"=;"+name+"=x", "\x00")
	f.Fuzz(func(t *testing.T, first, second string) {
		r := request(first, second)
		c, err := j.Read(r, golden.Issued)
		documented(t, c, err)
		if d := cmp.Diff(golden, c); err == nil && d != "" {
			t.Fatal(d)
		}
		// Where the standard library finds a good one first, so does this.
		for _, std := range r.CookiesNamed(name) {
			if std.Value == value && !std.Quoted && err != nil && len(first)+len(second) < 1000 && strings.Count(first+second, name) < 4 {
				t.Fatalf("%q, %q: %v", first, second, err)
			}
		}
		// And what is read may be written into an answer.
		if err == nil {
			if err := j.Write(httptest.NewRecorder(), c); err != nil {
				t.Fatal(err)
			}
		}
	})
}
