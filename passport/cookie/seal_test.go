package cookie_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/passport"
	"warmline.dev/passport/cookie"
)

func TestSealedFormIsExactlyItsBytes(t *testing.T) {
	j, want := goldenJar(t), seal(t, goldenKey, goldenNonce, goldenBody)
	opens(t, "the example", j, want, golden.Issued, golden)
	// What Seal makes is the same with a nonce of its own.
	value := sealed(t, j, golden)
	raw, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		t.Fatal(err)
	}
	at := 2 + len(goldenKey.Name)
	if again := seal(t, goldenKey, raw[at:at+24], goldenBody); again != value {
		t.Errorf("%s, want\n%s", value, again)
	}
	if value == want || value == sealed(t, j, golden) {
		t.Error("a nonce twice")
	}
	// doc.go has the same example.
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(strings.ReplaceAll(string(doc), "//", "")), "")
	if !strings.Contains(text, want) {
		t.Errorf("doc.go does not have the value\n%s", want)
	}
	if !strings.Contains(text, fmt.Sprintf("%x", goldenBody)) {
		t.Errorf("doc.go does not have the body\n%x", goldenBody)
	}
}

func TestCookiesRoundTrip(t *testing.T) {
	j := newJar(t, cookie.Config{Keys: []passport.Key{passport.NewKey("k")}})
	long := strings.Repeat("é", 127) + "x"
	at := golden.Issued
	for name, c := range map[string]cookie.Cookie{
		"the example": golden,
		"hardly any":  {Session: golden.Session, Begun: at, Issued: at},
		"the longest texts": {
			Passport: passport.Passport{Customer: long, Profile: long, Plan: long, Device: long, Country: long, Level: 255},
			Session:  golden.Session, Begun: at, Issued: at, TrustedUntil: at.Add(1e6),
		},
		"preferences and references": {
			Passport: passport.Passport{
				Preferences: map[string]string{"": "", "a": long, long: "b"},
				References:  map[string]passport.Reference{"subtitles": {1, 2, 31: 3}, "": {}},
			},
			Session: golden.Session, Begun: at, Issued: at,
		},
	} {
		opens(t, name, j, sealed(t, j, c), at, c)
	}
	// Times lose what is below a millisecond, and their zone; a cookie does not keep
	// who minted a passport and when.
	c := golden
	c.Issued = c.Issued.Add(time.Millisecond - 1).In(time.FixedZone("", 3600))
	c.Passport.Origin, c.Passport.Issued, c.Passport.Expires = "gateway", at, at
	opens(t, "times", j, sealed(t, j, c), at, golden)
}

func TestEveryByteCounts(t *testing.T) {
	j, value := goldenJar(t), seal(t, goldenKey, goldenNonce, goldenBody)
	raw, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(raw) * 8 {
		b := bytes.Clone(raw)
		b[i/8] ^= 1 << (i % 8)
		refused(t, fmt.Sprintf("bit %d of byte %d flipped", i%8, i/8), j, base64.RawURLEncoding.EncodeToString(b), golden.Issued, nil)
	}
	for i := range value { // of the text too: one cookie has one text
		for b := range 256 {
			if byte(b) != value[i] {
				refused(t, fmt.Sprintf("%q for character %d", byte(b), i), j, value[:i]+string([]byte{byte(b)})+value[i+1:], golden.Issued, nil)
			}
		}
		refused(t, fmt.Sprintf("cut to %d characters", i), j, value[:i], golden.Issued, nil)
		for _, more := range []string{"\n", "\r", " ", "=", "A"} {
			refused(t, fmt.Sprintf("%q before character %d", more, i), j, value[:i]+more+value[i:], golden.Issued, nil)
		}
	}
	for _, more := range []string{"\n", "\r\n", " ", "=", "==", "A", "AAAA", ";"} {
		refused(t, fmt.Sprintf("%q behind it", more), j, value+more, golden.Issued, nil)
	}
}

func TestWhatIsNoSealedCookie(t *testing.T) {
	j := goldenJar(t)
	text := base64.RawURLEncoding.EncodeToString
	name := goldenKey.Name
	room := string(make([]byte, 40))
	for what, value := range map[string]string{
		"a word":                "none",
		"a JSON web token":      "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjLTEwMDEifQ.",
		"1 MB":                  strings.Repeat("A", 1<<20),
		"one byte":              text([]byte{1}),
		"no name":               text([]byte("\x01\x00" + room)),
		"a name that is longer": text([]byte("\x01\x41" + strings.Repeat("k", 65) + room)),
		"a length that lies":    text([]byte("\x01\xff" + room)),
		"too short for a MAC":   text([]byte("\x01\x07" + name + room[:39])),
		"another version":       text([]byte("\x02\x07" + name + room)),
		"version 0":             text([]byte("\x00\x07" + name + room)),
		"standard base64":       "AQcyMDI2LTAx+/" + strings.Repeat("A", 80),
	} {
		refused(t, what, j, value, golden.Issued, cookie.ErrMalformed)
	}
	refused(t, "none", j, "", golden.Issued, cookie.ErrMissing)
	refused(t, "zeros", j, text([]byte("\x01\x07"+name+room)), golden.Issued, cookie.ErrForged)
}

func TestOtherKeysDoNotOpen(t *testing.T) {
	value := seal(t, goldenKey, goldenNonce, goldenBody)
	for name, k := range map[string]passport.Key{
		"the same name, another secret": passport.NewKey(goldenKey.Name),
		"the secret made longer":        {Name: goldenKey.Name, Secret: append(bytes.Clone(goldenKey.Secret), 1)},
		"another name, the same secret": {Name: "2026-02", Secret: goldenKey.Secret},
		"another key":                   passport.NewKey("2026-02"),
	} {
		refused(t, name, newJar(t, cookie.Config{Keys: []passport.Key{k}, Audience: goldenAudience}), value, golden.Issued, cookie.ErrForged)
	}
	// It can't be taken for that of a key with another name and the same secret.
	raw, _ := base64.RawURLEncoding.DecodeString(value)
	renamed := base64.RawURLEncoding.EncodeToString(bytes.Replace(raw, []byte("2026-01"), []byte("2026-02"), 1))
	j := newJar(t, cookie.Config{Keys: []passport.Key{goldenKey, {Name: "2026-02", Secret: goldenKey.Secret}}, Audience: goldenAudience})
	refused(t, "renamed", j, renamed, golden.Issued, cookie.ErrForged)
}

func TestKeysRotate(t *testing.T) {
	older, newer := passport.NewKey("older"), passport.NewKey("newer")
	jar := func(keys ...passport.Key) *cookie.Jar { return newJar(t, cookie.Config{Keys: keys}) }
	before, during, turned, after := jar(older), jar(older, newer), jar(newer, older), jar(newer)
	for _, j := range []*cookie.Jar{before, during} {
		for _, by := range []*cookie.Jar{before, during, turned} {
			opens(t, "sealed with the older key", by, sealed(t, j, golden), golden.Issued, golden)
		}
		refused(t, "the older key, dropped", after, sealed(t, j, golden), golden.Issued, cookie.ErrForged)
	}
	for _, by := range []*cookie.Jar{during, turned, after} {
		opens(t, "sealed with the newer key", by, sealed(t, turned, golden), golden.Issued, golden)
	}
	refused(t, "the newer key, unknown", before, sealed(t, turned, golden), golden.Issued, cookie.ErrForged)
}

func TestAudiences(t *testing.T) {
	tv, none := goldenJar(t), newJar(t, cookie.Config{})
	refused(t, "another's", newJar(t, cookie.Config{Audience: "tv.example.net"}), sealed(t, tv, golden), golden.Issued, cookie.ErrAudience)
	refused(t, "of an audience, where none is", none, sealed(t, tv, golden), golden.Issued, cookie.ErrAudience)
	refused(t, "of none, where one is", tv, sealed(t, none, golden), golden.Issued, cookie.ErrAudience)
	opens(t, "of none", none, sealed(t, none, golden), golden.Issued, golden)
}

func TestTimes(t *testing.T) {
	j := newJar(t, cookie.Config{Life: 30 * 24 * time.Hour})
	value, end := sealed(t, j, golden), golden.Begun.AddDate(0, 0, 30)
	opens(t, "a clock that is a minute behind", j, value, golden.Issued.Add(-time.Minute), golden)
	refused(t, "a clock that is more behind", j, value, golden.Issued.Add(-time.Minute-1), cookie.ErrFuture)
	opens(t, "just before the end", j, value, end.Add(-1), golden)
	refused(t, "at the end", j, value, end, cookie.ErrExpired)
	refused(t, "a hundred years later", j, value, end.AddDate(100, 0, 0), cookie.ErrExpired)
	// It is the reader's life that counts, and renewing does not lengthen it.
	refused(t, "a shorter life", newJar(t, cookie.Config{Life: time.Hour}), value, golden.Issued, cookie.ErrExpired)
	refused(t, "renewed", j, sealed(t, j, j.Renew(golden, end.Add(-1))), end, cookie.ErrExpired)
	begun := golden
	begun.Begun = golden.Issued.Add(time.Hour)
	refused(t, "begun in the future", j, sealed(t, j, begun), golden.Issued, cookie.ErrFuture)
}

func TestTrust(t *testing.T) {
	at := golden.Issued
	stateAt := func(j *cookie.Jar, value string, now time.Time) cookie.State {
		t.Helper()
		c, err := j.Open(value, now)
		if err != nil {
			t.Fatal(err)
		}
		return c.State(now)
	}
	eight := newJar(t, cookie.Config{})
	value := sealed(t, eight, eight.Renew(golden, at))
	hour, never := newJar(t, cookie.Config{Trust: time.Hour}), newJar(t, cookie.Config{Trust: -1})
	for name, tc := range map[string]struct {
		jar   *cookie.Jar
		value string
		now   time.Time
		want  cookie.State
	}{
		"new":                      {eight, value, at, cookie.Trusted},
		"almost eight hours":       {eight, value, at.Add(8*time.Hour - 1), cookie.Trusted},
		"eight hours":              {eight, value, at.Add(8 * time.Hour), cookie.Stale},
		"held to less":             {hour, value, at.Add(time.Hour), cookie.Stale},
		"held to less, within":     {hour, value, at.Add(time.Hour - 1), cookie.Trusted},
		"never":                    {never, value, at, cookie.Stale},
		"never, the clock behind":  {never, value, at.Add(-time.Second), cookie.Stale},
		"issued for never":         {eight, sealed(t, never, never.Renew(golden, at)), at, cookie.Stale},
		"issued for never, behind": {eight, sealed(t, never, never.Renew(golden, at)), at.Add(-time.Second), cookie.Stale},
		"issued for less":          {eight, sealed(t, hour, hour.Renew(golden, at)), at.Add(time.Hour), cookie.Stale},
	} {
		if got := stateAt(tc.jar, tc.value, tc.now); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
	if s := fmt.Sprint(cookie.Trusted, cookie.Stale); s != "trusted stale" {
		t.Errorf("%q", s)
	}
}

func TestBodiesThatAreNoCookie(t *testing.T) {
	j := goldenJar(t)
	least := "02 c410 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 03 d30000019b7ca98f2e 04 d30000019b7ce07dae"
	audience := "01 aa 74762e6578616d706c65"
	good := "84" + audience + least
	c, err := j.Open(seal(t, goldenKey, goldenNonce, unhex(good)), golden.Issued)
	want := cookie.Cookie{Session: golden.Session, Begun: golden.Begun, Issued: golden.Issued}
	if d := cmp.Diff(want, c); err != nil || d != "" {
		t.Fatalf("the body as it should be: %v\n%s", err, d)
	}
	for name, digits := range map[string]string{
		"none":                      "",
		"an array":                  "93 01 02 03",
		"a byte behind":             good + "00",
		"cut short":                 good[:len(good)-2],
		"no session":                "83" + audience + "03 d30000019b7ca98f2e 04 d30000019b7ce07dae",
		"no beginning":              "83" + audience + "02 c410 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 04 d30000019b7ce07dae",
		"never issued":              "83" + audience + "02 c410 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 03 d30000019b7ca98f2e",
		"a session too short":       "84" + audience + "02 c40f a0a1a2a3a4a5a6a7a8a9aaabacadae 03 d30000019b7ca98f2e 04 d30000019b7ce07dae",
		"a session too long":        "84" + audience + "02 c411 a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0 03 d30000019b7ca98f2e 04 d30000019b7ce07dae",
		"a field twice":             "85" + audience + audience + least,
		"fields that fall":          "84" + least + audience,
		"key 0":                     "85 00 00" + audience + least,
		"a key that is text":        "85 a0 00" + audience + least,
		"a customer that is bytes":  "85" + audience + least + "06 c401 61",
		"a time that is text":       "84" + audience + "02 c410 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 03 a0 04 00",
		"a level of 256":            "85" + audience + least + "0b cd0100",
		"preferences: a list":       "85" + audience + least + "0c 90",
		"preferences: numbers":      "85" + audience + least + "0c 81 01 02",
		"references: a short one":   "85" + audience + least + "0d 81 a161 c401 00",
		"a bomb":                    "df ffffffff",
		"a bomb, as preferences":    "85" + audience + least + "0c df ffffffff",
		"a bomb, as references":     "85" + audience + least + "0d df ffffffff",
		"a bomb that is not known":  "85" + audience + least + "7f dd ffffffff",
		"depth that is not known":   "85" + audience + least + "7f" + strings.Repeat("91", 1000) + "00",
		"no type":                   "85" + audience + least + "7f c1",
		"a field that is cut short": "85" + audience + least + "7f a5 61",
	} {
		refused(t, name, j, seal(t, goldenKey, goldenNonce, unhex(digits)), golden.Issued, cookie.ErrMalformed)
	}
}

// A gateway that is older reads what a newer one has written.
func TestFieldsThatAreNotKnownArePassedOver(t *testing.T) {
	body := append([]byte{0x8f}, goldenBody[1:]...)
	body = append(body, unhex("7f 82 01 93 01 02 03 a161 c0  cc80 c2  cf ffffffffffffffff a3 6e6577")...)
	opens(t, "newer", goldenJar(t), seal(t, goldenKey, goldenNonce, body), golden.Issued, golden)
}

func TestSealRefuses(t *testing.T) {
	j := goldenJar(t)
	long := strings.Repeat("x", 256)
	for name, change := range map[string]func(*cookie.Cookie){
		"customer":         func(c *cookie.Cookie) { c.Passport.Customer = long },
		"profile":          func(c *cookie.Cookie) { c.Passport.Profile = long },
		"plan":             func(c *cookie.Cookie) { c.Passport.Plan = long },
		"device":           func(c *cookie.Cookie) { c.Passport.Device = long },
		"country":          func(c *cookie.Cookie) { c.Passport.Country = long },
		"no session":       func(c *cookie.Cookie) { c.Session = cookie.Session{} },
		"not when begun":   func(c *cookie.Cookie) { c.Begun = time.Time{} },
		"no when it was b": func(c *cookie.Cookie) { c.Issued = time.Time{} },
	} {
		c := golden
		change(&c)
		if value, err := j.Seal(c); err == nil || value != "" || strings.Contains(err.Error(), long) || strings.Contains(err.Error(), "c-1001") {
			t.Errorf("%s: %s, %v", name, value, err)
		}
	}
}

// A jar serves all requests at once, and one seal or open takes nothing from another.
func TestJarsAreSafeForConcurrentUse(t *testing.T) {
	j := goldenJar(t)
	done := make(chan error)
	for i := range 8 {
		go func() {
			done <- func() error {
				for n := range 200 {
					c := golden
					c.Passport.Customer = fmt.Sprint("c-", i, "-", n)
					value, err := j.Seal(c)
					if err != nil {
						return err
					}
					got, err := j.Open(value, c.Issued)
					if d := cmp.Diff(c, got); err != nil || d != "" {
						return fmt.Errorf("%w\n%s", err, d)
					}
					if _, err := j.Open(value[:len(value)-4]+"AAAA", c.Issued); !errors.Is(err, cookie.ErrForged) {
						return fmt.Errorf("forged: %w", err)
					}
				}
				return nil
			}()
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
