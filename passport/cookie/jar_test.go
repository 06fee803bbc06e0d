package cookie_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/passport"
	"warmline.dev/passport/cookie"
)

// written is the one Set-Cookie line of an answer, without the value.
func written(t *testing.T, w *httptest.ResponseRecorder) (line, value string) {
	t.Helper()
	lines := w.Header()["Set-Cookie"]
	if len(lines) != 1 {
		t.Fatalf("%d Set-Cookie lines: %q", len(lines), lines)
	}
	c, err := http.ParseSetCookie(lines[0])
	if err != nil {
		t.Fatalf("%q: %v", lines[0], err)
	}
	return strings.Replace(lines[0], "="+c.Value+";", "=VALUE;", 1), c.Value
}

func TestWhatIsWritten(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg  cookie.Config
		want string
	}{
		"by default":              {cookie.Config{}, "__Host-warmline=VALUE; Path=/; Max-Age=31532400; HttpOnly; Secure; SameSite=Lax"},
		"a name":                  {cookie.Config{Name: "tv", SameSite: http.SameSiteStrictMode}, "__Host-tv=VALUE; Path=/; Max-Age=31532400; HttpOnly; Secure; SameSite=Strict"},
		"a domain":                {cookie.Config{Domain: "example.com"}, "__Secure-warmline=VALUE; Path=/; Domain=example.com; Max-Age=31532400; HttpOnly; Secure; SameSite=Lax"},
		"a path":                  {cookie.Config{Path: "/tv"}, "__Secure-warmline=VALUE; Path=/tv; Max-Age=31532400; HttpOnly; Secure; SameSite=Lax"},
		"development":             {cookie.Config{Insecure: true}, "warmline=VALUE; Path=/; Max-Age=31532400; HttpOnly; SameSite=Lax"},
		"for other sites":         {cookie.Config{SameSite: http.SameSiteNoneMode}, "__Host-warmline=VALUE; Path=/; Max-Age=31532400; HttpOnly; Secure; SameSite=None"},
		"of a life that is short": {cookie.Config{Life: 2 * time.Hour}, "__Host-warmline=VALUE; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax"},
	} {
		j, w := newJar(t, tc.cfg), httptest.NewRecorder()
		if err := j.Write(w, golden); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		line, value := written(t, w)
		if line != tc.want {
			t.Errorf("%s:\n%s, want\n%s", name, line, tc.want)
		}
		opens(t, name, j, value, golden.Issued, golden)
		sent, _, _ := strings.Cut(line, "=")
		if sent != j.Name() {
			t.Errorf("%s: the name is %q, and %q is written", name, j.Name(), sent)
		}
		// What is written is read again, as browsers send it.
		got, err := j.Read(request("a=b; "+sent+"="+value+"; c=d"), golden.Issued)
		if d := cmp.Diff(golden, got); err != nil || d != "" {
			t.Errorf("%s: read: %v\n%s", name, err, d)
		}
		w = httptest.NewRecorder()
		j.Clear(w)
		want := strings.Replace(strings.Replace(tc.want, "VALUE", "", 1), tc.want[strings.Index(tc.want, "Max-Age"):strings.Index(tc.want, "; HttpOnly")], "Max-Age=0", 1)
		if got := w.Header()["Set-Cookie"]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s: cleared with\n%q, want\n%q", name, got, want)
		}
	}
}

// An answer sets a cookie once: what was decided last.
func TestTheLastWriteCounts(t *testing.T) {
	j, w := newJar(t, cookie.Config{}), httptest.NewRecorder()
	w.Header().Add("Set-Cookie", "theme=dark; Path=/")
	w.Header().Add("Set-Cookie", "__Host-warmline2=x; Path=/; Secure")
	later := golden
	later.Passport.Plan = "basic"
	for _, c := range []cookie.Cookie{golden, later} {
		if err := j.Write(w, c); err != nil {
			t.Fatal(err)
		}
	}
	lines := w.Header()["Set-Cookie"]
	if len(lines) != 3 || lines[0] != "theme=dark; Path=/" || !strings.HasPrefix(lines[1], "__Host-warmline2=x") {
		t.Fatalf("%q", lines)
	}
	c, err := http.ParseSetCookie(lines[2])
	if err != nil {
		t.Fatal(err)
	}
	opens(t, "the later one", j, c.Value, golden.Issued, later)
	j.Clear(w)
	if lines := w.Header()["Set-Cookie"]; len(lines) != 3 || !strings.HasPrefix(lines[2], "__Host-warmline=; ") {
		t.Errorf("cleared: %q", lines)
	}
	if err := j.Write(w, golden); err != nil || len(w.Header()["Set-Cookie"]) != 3 {
		t.Errorf("written again: %v, %q", err, w.Header()["Set-Cookie"])
	}
}

func TestBeginAndRenew(t *testing.T) {
	j, now := newJar(t, cookie.Config{}), golden.Begun.Add(999).In(time.FixedZone("", 7200))
	c := j.Begin(golden.Passport, now)
	want := cookie.Cookie{Passport: golden.Passport, Session: c.Session, Begun: golden.Begun, Issued: golden.Begun, TrustedUntil: golden.Begun.Add(8 * time.Hour)}
	if d := cmp.Diff(want, c); d != "" || c.Session == (cookie.Session{}) {
		t.Error(d)
	}
	if other := j.Begin(golden.Passport, now); other.Session == c.Session {
		t.Error("a session twice")
	}
	again := j.Renew(c, now.Add(9*time.Hour))
	want.Issued, want.TrustedUntil = want.Begun.Add(9*time.Hour), want.Begun.Add(17*time.Hour)
	if d := cmp.Diff(want, again); d != "" {
		t.Error(d)
	}
}

func TestSessions(t *testing.T) {
	s := golden.Session
	if text := s.String(); text != "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf" {
		t.Error(text)
	}
	for _, text := range []string{s.String(), strings.ToUpper(s.String())} {
		if got, err := cookie.ParseSession(text); err != nil || got != s {
			t.Errorf("%s, %v", got, err)
		}
	}
	for _, text := range []string{"", "a0", s.String()[1:], s.String() + "0", s.String() + "00", "x" + s.String()[1:], strings.Repeat("a", 1<<20)} {
		if got, err := cookie.ParseSession(text); err == nil || got != (cookie.Session{}) || len(err.Error()) > 100 {
			t.Errorf("%.80q: %s, %v", text, got, err)
		}
	}
}

func TestCookiesThatBrowsersWouldDropAreNotWritten(t *testing.T) {
	j := newJar(t, cookie.Config{Domain: "example.com"})
	c := golden
	fits := 0
	for n := range 4096 {
		c.Passport.Preferences = map[string]string{"long": strings.Repeat("x", n)}
		w := httptest.NewRecorder()
		err := j.Write(w, c)
		if err == nil {
			if line := w.Header()["Set-Cookie"][0]; len(line) > 4096 {
				t.Fatalf("%d bytes are written", len(line))
			}
			fits = n
			continue
		}
		if !errors.Is(err, cookie.ErrTooLarge) || !strings.Contains(err.Error(), "expected at most 4096") || !strings.Contains(err.Error(), "references") || len(w.Header()) != 0 {
			t.Fatalf("%d: %v, %v", n, err, w.Header())
		}
		break
	}
	if fits < 2500 {
		t.Errorf("a preference of %d bytes fits, want at least 2500", fits)
	}
	// The longest is read again.
	c.Passport.Preferences["long"] = strings.Repeat("x", fits)
	w := httptest.NewRecorder()
	if err := j.Write(w, c); err != nil {
		t.Fatal(err)
	}
	_, value := written(t, w)
	opens(t, "the longest", j, value, c.Issued, c)
}

func TestWriteRefusesWhatIsOver(t *testing.T) {
	j, w := newJar(t, cookie.Config{Life: time.Hour}), httptest.NewRecorder()
	if err := j.Write(w, golden); !errors.Is(err, cookie.ErrExpired) || len(w.Header()) != 0 {
		t.Errorf("%v, %v", err, w.Header())
	}
	if err := j.Write(w, cookie.Cookie{}); err == nil || len(w.Header()) != 0 {
		t.Errorf("%v, %v", err, w.Header())
	}
}

func TestConfigsThatMakeNoSense(t *testing.T) {
	k := passport.NewKey("k")
	keys := []passport.Key{k}
	for want, cfg := range map[string]cookie.Config{
		"keyring without keys":              {},
		"key name \"k k\"":                  {Keys: []passport.Key{passport.NewKey("k k")}},
		"has 3 bytes, expected at least 32": {Keys: []passport.Key{{Name: "k", Secret: []byte("abc")}}},
		"two keys named":                    {Keys: []passport.Key{k, k}},
		"Life is -1s":                       {Keys: keys, Life: -time.Second},
		"Audience has 256 bytes":            {Keys: keys, Audience: strings.Repeat("x", 256)},
		"Name \"__Host-x\"":                 {Keys: keys, Name: "__Host-x"},
		"at most 64 bytes":                  {Keys: keys, Name: strings.Repeat("x", 65)},
		"Name \"a b\"":                      {Keys: keys, Name: "a b"},
		"Name \"a=b\"":                      {Keys: keys, Name: "a=b"},
		"Domain \"a_b;\"":                   {Keys: keys, Domain: "a_b;"},
		"Path \"tv\"":                       {Keys: keys, Path: "tv"},
		"Path \"/a;b\"":                     {Keys: keys, Path: "/a;b"},
		"Domain and Path have 601 bytes":    {Keys: keys, Path: "/" + strings.Repeat("x", 600)},
		"SameSite is 1, expected Lax":       {Keys: keys, SameSite: http.SameSiteDefaultMode},
		"SameSite is None, which":           {Keys: keys, SameSite: http.SameSiteNoneMode, Insecure: true},
	} {
		j, err := cookie.New(cfg)
		if err == nil || j != nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "cookie: ") {
			t.Errorf("%s: %v", want, err)
		}
		if err != nil && strings.Contains(err.Error(), string(k.Secret)) {
			t.Errorf("%v shows the key", err)
		}
	}
}

func TestWrittenIsWhatAnAnswerSets(t *testing.T) {
	j, other, w := newJar(t, cookie.Config{}), newJar(t, cookie.Config{Name: "other"}), httptest.NewRecorder()
	want := func(what string, is error) {
		t.Helper()
		if c, err := j.Written(w.Header(), golden.Issued); !errors.Is(err, is) || is == nil && c.Session != golden.Session {
			t.Errorf("%s: %+v, %v", what, c, err)
		}
	}
	want("nothing", cookie.ErrMissing)
	if err := other.Write(w, golden); err != nil {
		t.Fatal(err)
	}
	want("another's", cookie.ErrMissing)
	if err := j.Write(w, golden); err != nil {
		t.Fatal(err)
	}
	want("one", nil)
	j.Clear(w)
	want("cleared", cookie.ErrMissing)
}
