package cookie_test

import (
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/passport"
	"warmline.dev/passport/cookie"
)

func TestRead(t *testing.T) {
	j := newJar(t, cookie.Config{})
	name, good := j.Name(), sealed(t, j, golden)
	forged := sealed(t, newJar(t, cookie.Config{Keys: []passport.Key{passport.NewKey("x")}}), golden)
	foreign := sealed(t, newJar(t, cookie.Config{Audience: "x"}), golden)
	second := golden
	second.Passport.Profile = "p-2"
	other := sealed(t, j, second)
	many := func(n int, one string) string { return strings.Repeat(one+"; ", n) }

	for what, tc := range map[string]struct {
		lines []string
		want  any // a cookie or an error
	}{
		"none":                         {nil, cookie.ErrMissing},
		"an empty header":              {[]string{""}, cookie.ErrMissing},
		"others":                       {[]string{"a=b; c=" + good, "warmline=" + good}, cookie.ErrMissing},
		"no value":                     {[]string{name + "="}, cookie.ErrMissing},
		"no equals sign":               {[]string{name}, cookie.ErrMissing},
		"another case":                 {[]string{strings.ToLower(name) + "=" + good}, cookie.ErrMissing},
		"alone":                        {[]string{name + "=" + good}, golden},
		"among others":                 {[]string{"a=b;" + name + "=" + good + ";c=d"}, golden},
		"room":                         {[]string{" \t" + name + " = " + good + " ; "}, golden},
		"a second header":              {[]string{"a=b", name + "=" + good}, golden},
		"two: the first":               {[]string{name + "=" + good + "; " + name + "=" + other}, golden},
		"two: the good one":            {[]string{name + "=" + forged + "; " + name + "=" + other}, second},
		"two, in two headers":          {[]string{name + "=garbage", name + "=" + other}, second},
		"four: the good one":           {[]string{many(3, name+"=garbage") + name + "=" + good}, golden},
		"five: too many":               {[]string{many(4, name+"=garbage") + name + "=" + good}, cookie.ErrMalformed},
		"bad ones: the first counts":   {[]string{name + "=" + foreign + "; " + name + "=" + forged}, cookie.ErrAudience},
		"quoted":                       {[]string{name + `="` + good + `"`}, cookie.ErrMalformed},
		"1 MB of one":                  {[]string{name + "=" + strings.Repeat("A", 1<<20)}, cookie.ErrMissing},
		"1 MB, and then the good one":  {[]string{"a=" + strings.Repeat("A", 1<<20) + "; " + name + "=" + good}, cookie.ErrMissing},
		"the good one, and then 1 MB":  {[]string{name + "=" + good + "; a=" + strings.Repeat("A", 1<<20)}, golden},
		"1 MB in the next header":      {[]string{"a=" + strings.Repeat("A", 1<<20), name + "=" + good}, cookie.ErrMissing},
		"cut in two":                   {[]string{"a=" + strings.Repeat("A", 32<<10-100) + "; " + name + "=" + good}, cookie.ErrMissing},
		"just within":                  {[]string{"a=" + strings.Repeat("A", 32<<10-len(name)-len(good)-10) + "; " + name + "=" + good}, golden},
		"255 others":                   {[]string{many(255, "a=b") + name + "=" + good}, golden},
		"256 others":                   {[]string{many(256, "a=b") + name + "=" + good}, cookie.ErrMissing},
		"thousands of others":          {[]string{many(5000, "a=b") + name + "=" + good}, cookie.ErrMissing},
		"thousands of nothing":         {[]string{many(5000, "") + name + "=" + good}, cookie.ErrMissing},
		"thousands of bad ones":        {[]string{many(5000, name+"=garbage") + name + "=" + good}, cookie.ErrMalformed},
		"thousands of headers":         {append(make([]string, 40_000), name+"="+good), cookie.ErrMissing},
		"what is no cookie in a value": {[]string{name + "=" + good + ",x"}, cookie.ErrMalformed},
	} {
		c, err := j.Read(request(tc.lines...), golden.Issued)
		var want cookie.Cookie
		if e, ok := tc.want.(error); ok {
			if !errors.Is(err, e) {
				t.Errorf("%s: %v, want %v", what, err, e)
			}
		} else if want = tc.want.(cookie.Cookie); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if d := cmp.Diff(want, c); d != "" {
			t.Errorf("%s\n%s", what, d)
		}
	}
}

// Through a real server and net/http's own jar of cookies.
func TestADeviceKeepsItsCookie(t *testing.T) {
	j, now := newJar(t, cookie.Config{Insecure: true}), time.Now()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/sign-in":
			if err := j.Write(w, j.Begin(golden.Passport, now)); err != nil {
				t.Error(err)
			}
		case "/sign-out":
			j.Clear(w)
		default:
			c, err := j.Read(r, now)
			if err != nil {
				http.Error(w, err.Error(), http.StatusUnauthorized)
				return
			}
			_, _ = w.Write([]byte(c.Passport.Customer))
		}
	}))
	defer server.Close()
	kept, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	device := &http.Client{Jar: kept, Transport: &http.Transport{DisableKeepAlives: true}}
	for i, step := range []struct {
		path   string
		status int
	}{{"/", 401}, {"/sign-in", 200}, {"/", 200}, {"/", 200}, {"/sign-out", 200}, {"/", 401}} {
		r, err := device.Get(server.URL + step.path)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != step.status {
			t.Errorf("step %d: %s: %d, want %d", i, step.path, r.StatusCode, step.status)
		}
	}
}
