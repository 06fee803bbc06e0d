package passport_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/passport"
)

func newKeyring(t testing.TB, keys ...passport.Key) *passport.Keyring {
	t.Helper()
	r, err := passport.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParseKeysReadsLinesAndCommas(t *testing.T) {
	a, b := passport.NewKey("a"), passport.NewKey("b.2026_01-x")
	for name, text := range map[string]string{
		"lines":          a.Format() + "\n" + b.Format() + "\n",
		"commas":         a.Format() + "," + b.Format(),
		"both, and room": "\n\n  " + a.Format() + " ,\n,, \t" + b.Format() + "\n\n",
		"lines of DOS":   a.Format() + "\r\n" + b.Format() + "\r\n",
		"comments":       "# first: the current one, then the old one\n" + a.Format() + "\n  #" + a.Format() + "\n" + b.Format(),
	} {
		keys, err := passport.ParseKeys(text)
		if d := cmp.Diff([]passport.Key{a, b}, keys); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", name, err, d)
		}
	}
}

func TestParseKeysErrorsShowNoSecrets(t *testing.T) {
	good := passport.NewKey("good").Format()
	const secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I=" // 32 bytes
	for name, text := range map[string]string{
		"no colon":          secret,
		"no base64":         "name:" + secret[:20] + "!" + secret[20:],
		"cut short":         "name:" + secret[:len(secret)-2],
		"URL base64":        "name:" + strings.Repeat("-_", 22),
		"a space behind":    "name: " + secret,
		"two in one":        "name:" + secret + " other:" + secret,
		"too short a key":   "name:" + base64.StdEncoding.EncodeToString([]byte("secret")),
		"no key":            "name:",
		"no name":           ":" + secret,
		"a name with space": "na me:" + secret,
		"the wrong way":     secret + ":name",
		"the wrong way, 33": strings.Repeat("c2Vj", 11) + ":name",
		"behind a good one": good + "\nname:" + secret + "x",
	} {
		keys, err := passport.ParseKeys(text)
		if err == nil || keys != nil {
			t.Errorf("%s: %d keys, %v", name, len(keys), err)
			continue
		}
		entry := "entry 1 "
		if strings.HasPrefix(text, good) {
			entry = "entry 2 "
		}
		if s := err.Error(); strings.Contains(s, "c2Vj") || strings.Contains(s, good[5:]) || strings.Contains(s, "-_") || !strings.Contains(s, entry) {
			t.Errorf("%s: %s", name, s)
		}
	}
	for _, text := range []string{"", "\n", " , ,\n", "# nothing\n"} {
		if keys, err := passport.ParseKeys(text); err == nil {
			t.Errorf("%q: %d keys", text, len(keys))
		}
	}
}

func TestKeysDoNotPrintTheirSecret(t *testing.T) {
	secret := []byte("secret-secret-secret-secret-secret")
	k := passport.Key{Name: "k1", Secret: secret}
	r := newKeyring(t, k)
	if _, err := r.Seal(golden); err != nil { // what signs is made by now
		t.Fatal(err)
	}
	for _, v := range []any{k, &k, []passport.Key{k}, map[string]passport.Key{"x": k}, struct{ K passport.Key }{k}, r, *r} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			s := fmt.Sprintf(verb, v)
			for _, shown := range []string{"secret-", hex.EncodeToString(secret[:6]), "115 101 99", "0x73, 0x65", base64.StdEncoding.EncodeToString(secret[:6])} {
				if strings.Contains(s, shown) {
					t.Errorf("%s of %T: %s", verb, v, s)
				}
			}
		}
	}
	if s := fmt.Sprintf("%v %+v %#v", k, k, k); s != "key k1 key k1 key k1" {
		t.Errorf("%s", s)
	}
}

func TestNewKeyIsNewEachTime(t *testing.T) {
	a, b := passport.NewKey("a"), passport.NewKey("a")
	if len(a.Secret) != 32 || bytes.Equal(a.Secret, b.Secret) || a.Name != "a" {
		t.Errorf("%d bytes, the same twice: %v", len(a.Secret), bytes.Equal(a.Secret, b.Secret))
	}
}

func TestNewKeyringRefusesBadKeys(t *testing.T) {
	secret := bytes.Repeat([]byte("s3cr"), 8)
	key := func(name string) passport.Key { return passport.Key{Name: name, Secret: secret} }
	for name, keys := range map[string][]passport.Key{
		"none":          {},
		"no name":       {key("")},
		"a long name":   {key(strings.Repeat("n", 65))},
		"a space":       {key("a b")},
		"a colon":       {key("a:b")},
		"an umlaut":     {key("ä")},
		"a short key":   {{Name: "a", Secret: secret[:31]}},
		"no secret":     {{Name: "a"}},
		"twice":         {key("a"), key("b"), key("a")},
		"bad behind it": {key("a"), key("")},
	} {
		r, err := passport.NewKeyring(keys...)
		if err == nil || r != nil {
			t.Errorf("%s: taken", name)
		} else if strings.Contains(err.Error(), "s3cr") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"a", strings.Repeat("n", 64), "2026-01_x.Y"} {
		newKeyring(t, key(name))
	}
}

func TestKeyringsCopyTheirKeys(t *testing.T) {
	k := passport.Key{Name: goldenKey.Name, Secret: bytes.Clone(goldenKey.Secret)}
	r := newKeyring(t, k)
	clear(k.Secret)
	if b, err := r.Seal(golden); err != nil || !bytes.Equal(b, unhex(t, goldenSealed)) {
		t.Errorf("%x, %v", b, err)
	}
}
