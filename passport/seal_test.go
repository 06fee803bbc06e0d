package passport_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warmline.dev/passport"
)

// The example of docs/protocol.md.
var (
	goldenKey = passport.Key{Name: "2026-01", Secret: []byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f")}
	golden    = passport.Passport{
		Customer: "c-1001", Profile: "p-1", Plan: "premium", Device: "tv", Country: "DE", Level: passport.Authenticated, Origin: "gateway",
		Issued:  time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC),
		Expires: time.Date(2026, 1, 2, 3, 14, 5, 678_000_000, time.UTC),
	}
)

const (
	goldenBody = "9c a6632d31303031 a3702d31 a77072656d69756d a27476 a24445 02 80 80 a0 a767617465776179 d30000019b7ca98f2e d30000019b7cb2b6ee"
	goldenMAC  = "c0e06f5cbef98092a2ea02921d87c7934a1f03dbf20c7d36de61c84cf85a43af"

	goldenSealed = "93 a7323032362d3031 c438" + goldenBody + "c420" + goldenMAC
)

// unhex reads hex with spaces.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return b
}

// seal is the sealed form as package passport documents it, of any body.
func seal(k passport.Key, body []byte) []byte {
	b := append([]byte{0x93, 0xa0 | byte(len(k.Name))}, k.Name...)
	b = append(b, 0xc5, byte(len(body)>>8), byte(len(body)))
	return sign(append(append(b, body...), 0xc4, 0x20), k, fmt.Sprintf("warmline passport 2\x00%c%s%s", len(k.Name), k.Name, body))
}

func sign(dst []byte, k passport.Key, text string) []byte {
	h := hmac.New(sha256.New, k.Secret)
	h.Write([]byte(text))
	return h.Sum(dst)
}

// refused fails the test if b is opened, or is refused for another reason, or gives anything away.
func refused(t testing.TB, name string, r *passport.Keyring, b []byte, now time.Time, want error) {
	t.Helper()
	p, err := r.Open(b, now)
	if want == nil && err == nil || want != nil && !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", name, err, want)
	}
	if !p.Equal(&passport.Passport{}) {
		t.Errorf("%s gives %+v", name, p)
	}
	for _, s := range []string{golden.Customer, golden.Plan, golden.Origin, goldenKey.Name} {
		if err != nil && strings.Contains(err.Error(), s) {
			t.Errorf("%s: %q shows %q", name, err, s)
		}
	}
}

func TestSealedFormIsExactlyItsBytes(t *testing.T) {
	r := newKeyring(t, goldenKey)
	b, err := r.Seal(golden)
	if want := unhex(t, goldenSealed); err != nil || !bytes.Equal(b, want) {
		t.Errorf("%x, %v, want\n%x", b, err, want)
	}
	p, err := r.Open(unhex(t, goldenSealed), golden.Issued)
	if d := cmp.Diff(golden, p); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
}

func TestSealedPassportsRoundTrip(t *testing.T) {
	r := newKeyring(t, passport.NewKey("k"))
	long := strings.Repeat("é", 127) + "x"
	for _, p := range []passport.Passport{
		golden,
		{Expires: golden.Expires},
		{Customer: "c", Level: passport.Recognised, Expires: golden.Expires, Issued: time.Date(1969, 12, 31, 23, 59, 59, 999e6, time.UTC)},
		{Customer: long, Profile: long, Plan: long, Device: long, Country: long, Origin: long, Level: 255, Expires: golden.Expires},
	} {
		b, err := r.Seal(p)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Open(b, golden.Issued)
		if d := cmp.Diff(p, got); err != nil || d != "" {
			t.Errorf("%v\n%s", err, d)
		}
		if got, err = passport.Peek(b); err != nil || !got.Equal(&p) {
			t.Errorf("peek: %+v, %v", got, err)
		}
	}
	// Times lose what is below a millisecond, and their zone.
	p := golden
	p.Issued = p.Issued.Add(time.Millisecond - 1).In(time.FixedZone("", 3600))
	b, err := r.Seal(p)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Open(b, golden.Issued); err != nil || !got.Equal(&golden) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPassportsExpire(t *testing.T) {
	r, b := newKeyring(t, goldenKey), unhex(t, goldenSealed)
	if p, err := r.Open(b, golden.Expires.Add(-1)); err != nil || !p.Equal(&golden) {
		t.Errorf("just before: %+v, %v", p, err)
	}
	refused(t, "at the moment", r, b, golden.Expires, passport.ErrExpired)
	refused(t, "a year later", r, b, golden.Expires.AddDate(1, 0, 0), passport.ErrExpired)
	if p, err := passport.Peek(b); err != nil || !p.Equal(&golden) { // an adapter reads it all the same
		t.Errorf("peek: %+v, %v", p, err)
	}
}

func TestPassportsFromTheFuture(t *testing.T) {
	r, b := newKeyring(t, goldenKey), unhex(t, goldenSealed)
	if _, err := r.Open(b, golden.Issued.Add(-time.Minute)); err != nil {
		t.Errorf("clocks are a minute apart: %v", err)
	}
	refused(t, "more than a minute ahead", r, b, golden.Issued.Add(-time.Minute-1), passport.ErrFuture)
	if h, err := r.History(b, golden.Issued.Add(-time.Hour)); !errors.Is(err, passport.ErrFuture) {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestPassportsCountForTheirAudience(t *testing.T) {
	r := newKeyring(t, goldenKey)
	east, west := r.For("east"), r.For("west")
	b, err := east.Seal(golden)
	if err != nil {
		t.Fatal(err)
	}
	want := golden
	want.Audience = "east"
	if p, err := east.Open(b, golden.Issued); err != nil || !p.Equal(&want) {
		t.Errorf("%+v, %v", p, err)
	}
	refused(t, "the other", west, b, golden.Issued, passport.ErrAudience)
	refused(t, "none", r, b, golden.Issued, passport.ErrAudience)
	refused(t, "one for none", east, unhex(t, goldenSealed), golden.Issued, passport.ErrAudience)
}

func TestMissingPassport(t *testing.T) {
	r := newKeyring(t, goldenKey)
	for _, none := range [][]byte{nil, {}} {
		refused(t, "none", r, none, golden.Issued, passport.ErrMissing)
		if _, err := passport.Peek(none); !errors.Is(err, passport.ErrMissing) {
			t.Errorf("peek: %v", err)
		}
	}
}

func TestEveryBitCounts(t *testing.T) {
	r, sealed := newKeyring(t, goldenKey), unhex(t, goldenSealed)
	for i := range len(sealed) * 8 {
		b := bytes.Clone(sealed)
		b[i/8] ^= 1 << (i % 8)
		refused(t, fmt.Sprintf("bit %d of byte %d flipped", i%8, i/8), r, b, golden.Issued, nil)
	}
	for n := range sealed {
		want := passport.ErrMalformed
		if n == 0 {
			want = passport.ErrMissing
		}
		refused(t, fmt.Sprintf("cut to %d bytes", n), r, sealed[:n:n], golden.Issued, want)
	}
	refused(t, "a byte behind it", r, append(sealed, 0), golden.Issued, passport.ErrMalformed)
}

func TestOtherKeysDoNotOpen(t *testing.T) {
	sealed := unhex(t, goldenSealed)
	for name, k := range map[string]passport.Key{
		"the same name, another secret": passport.NewKey(goldenKey.Name),
		"the secret made longer":        {Name: goldenKey.Name, Secret: append(bytes.Clone(goldenKey.Secret), 1)},
		"another name, the same secret": {Name: "2026-02", Secret: goldenKey.Secret},
		"another key":                   passport.NewKey("2026-02"),
	} {
		refused(t, name, newKeyring(t, k), sealed, golden.Issued, passport.ErrForged)
	}
	// The name is signed too: it can't be changed to that of a key with the same secret.
	renamed := bytes.Replace(sealed, []byte("2026-01"), []byte("2026-02"), 1)
	r := newKeyring(t, goldenKey, passport.Key{Name: "2026-02", Secret: goldenKey.Secret})
	refused(t, "renamed", r, renamed, golden.Issued, passport.ErrForged)
}

func TestKeysRotate(t *testing.T) {
	older, newer := passport.NewKey("older"), passport.NewKey("newer")
	before, during, turned, after := newKeyring(t, older), newKeyring(t, older, newer), newKeyring(t, newer, older), newKeyring(t, newer)
	sealedBy := func(r *passport.Keyring) []byte {
		b, err := r.Seal(golden)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, r := range []*passport.Keyring{before, during} {
		for _, by := range []*passport.Keyring{before, during, turned} {
			if _, err := by.Open(sealedBy(r), golden.Issued); err != nil {
				t.Errorf("sealed with the older key: %v", err)
			}
		}
		refused(t, "the older key, dropped", after, sealedBy(r), golden.Issued, passport.ErrForged)
	}
	for _, by := range []*passport.Keyring{during, turned, after} {
		if _, err := by.Open(sealedBy(turned), golden.Issued); err != nil {
			t.Errorf("sealed with the newer key: %v", err)
		}
	}
	refused(t, "the newer key, unknown", before, sealedBy(turned), golden.Issued, passport.ErrForged)
}

func TestOversizedIsNotOpened(t *testing.T) {
	r := newKeyring(t, goldenKey)
	// sized is a good passport of n bytes in all, which Seal does not make longer.
	sized := func(n int) []byte {
		p := golden.Clone()
		p.Preferences = map[string]string{}
		for _, name := range []string{"a", "b", "c"} {
			p.Preferences[name] = strings.Repeat("x", 1024)
		}
		p.Preferences["d"] = strings.Repeat("x", 300)
		least, err := r.Seal(p)
		if err != nil {
			t.Fatal(err)
		}
		head, tail, _ := bytes.Cut(least, []byte("\xa1d\xda"))
		body := bytes.Clone(bytes.TrimPrefix(head, least[:len(goldenKey.Name)+5]))
		size := 300 + n - len(least)
		body = append(body, 0xa1, 'd', 0xda, byte(size>>8), byte(size))
		body = append(body, strings.Repeat("x", size)...)
		body = append(body, tail[2+300:len(tail)-34]...)
		b := seal(goldenKey, body)
		if len(b) != n {
			t.Fatalf("%d bytes, want %d", len(b), n)
		}
		return b
	}
	for name, open := range map[string]func([]byte) (passport.Passport, error){
		"open": func(b []byte) (passport.Passport, error) { return r.Open(b, golden.Issued) },
		"peek": passport.Peek,
	} {
		if p, err := open(sized(passport.MaxSealed)); err != nil || p.Customer != golden.Customer || p.Expires != golden.Expires {
			t.Errorf("%s: the longest: %v", name, err)
		}
		if p, err := open(sized(passport.MaxSealed + 1)); !errors.Is(err, passport.ErrMalformed) || !p.Equal(&passport.Passport{}) {
			t.Errorf("%s: one byte more: %v", name, err)
		}
	}
}

func TestBodiesThatAreNoPassport(t *testing.T) {
	r := newKeyring(t, goldenKey)
	good := unhex(t, goldenBody)
	if p, err := r.Open(seal(goldenKey, good), golden.Issued); err != nil || !p.Equal(&golden) {
		t.Fatalf("the body as it should be: %+v, %v", p, err)
	}
	for name, body := range map[string][]byte{
		"none":            {},
		"eleven fields":   append([]byte{0x9b}, good[1:len(good)-9]...),
		"thirteen fields": append(append([]byte{0x9d}, good[1:]...), 0),
		"a byte behind":   append(bytes.Clone(good), 0),
		"cut short":       good[:len(good)-1],
		"a map":           {0x80},
		"numbers":         {0x9c, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
		"a bomb":          unhex(t, "dd ffffffff"),
		"a bomb, inside":  unhex(t, "9c dd ffffffff"),
		"arrays in depth": bytes.Repeat([]byte{0x91}, 4000),
		"no type":         unhex(t, "9c c1"),
	} {
		b := seal(goldenKey, body)
		refused(t, name, r, b, golden.Issued, passport.ErrMalformed)
		if p, err := passport.Peek(b); !errors.Is(err, passport.ErrMalformed) || !p.Equal(&passport.Passport{}) {
			t.Errorf("peek: %s: %+v, %v", name, p, err)
		}
	}
	for name, digits := range map[string]string{
		"no msgpack":          "ff",
		"an array of two":     "92 a161 c401 00",
		"an array of five":    "95 a161 c40100 c40100 c0 c0",
		"the name is a bin":   "93 c40161 c40100 c40100",
		"the body is a str":   "93 a161 a100 c40100",
		"the MAC is a str":    "93 a161 c40100 a100",
		"a length that lies":  "93 a161 c6ffffffff",
		"an array that lies":  "dd ffffffff",
		"a JSON web token":    "65794a68",
		"a name that is none": "93 a0",
	} {
		refused(t, name, r, unhex(t, digits), golden.Issued, passport.ErrMalformed)
	}
	refused(t, "no MAC", r, unhex(t, "93 a7323032362d3031 c438"+goldenBody+"c400"), golden.Issued, passport.ErrMalformed)
	refused(t, "half a MAC", r, unhex(t, "93 a7323032362d3031 c438"+goldenBody+"c410"+goldenMAC[:32]), golden.Issued, passport.ErrMalformed)
}

func TestPeekNeedsNoKey(t *testing.T) {
	b := seal(passport.NewKey("whoever"), unhex(t, goldenBody))
	if p, err := passport.Peek(b); err != nil || !p.Equal(&golden) {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestSealRefuses(t *testing.T) {
	r := newKeyring(t, goldenKey)
	long := strings.Repeat("x", 256)
	for name, change := range map[string]func(*passport.Passport){
		"customer": func(p *passport.Passport) { p.Customer = long },
		"profile":  func(p *passport.Passport) { p.Profile = long },
		"plan":     func(p *passport.Passport) { p.Plan = long },
		"device":   func(p *passport.Passport) { p.Device = long },
		"country":  func(p *passport.Passport) { p.Country = long },
		"origin":   func(p *passport.Passport) { p.Origin = long },
		"a name":   func(p *passport.Passport) { p.Preferences = map[string]string{"a b": ""} },
		"no name":  func(p *passport.Passport) { p.References = map[string]passport.Reference{"": {}} },
		"a value":  func(p *passport.Passport) { p.Preferences = map[string]string{"a": strings.Repeat(long, 5)} },
		"both": func(p *passport.Passport) {
			p.Preferences, p.References = map[string]string{"a": ""}, map[string]passport.Reference{"a": {}}
		},
		"many": func(p *passport.Passport) {
			p.Preferences = map[string]string{}
			for i := range 33 {
				p.Preferences[fmt.Sprint(i)] = ""
			}
		},
		"no expiry": func(p *passport.Passport) { p.Expires = time.Time{} },
	} {
		p := golden
		change(&p)
		if b, err := r.Seal(p); err == nil || b != nil || strings.Contains(err.Error(), long) {
			t.Errorf("%s: %x, %v", name, b, err)
		}
	}
}

// A keyring serves all requests at once, and one seal or open takes nothing from another.
func TestKeyringsAreSafeForConcurrentUse(t *testing.T) {
	r := newKeyring(t, passport.NewKey("k"))
	done := make(chan error)
	for i := range 8 {
		go func() {
			done <- func() error {
				for j := range 100 {
					p := golden
					p.Customer = fmt.Sprint("c-", i, "-", j)
					b, err := r.Seal(p)
					if err != nil {
						return err
					}
					if got, err := r.Open(b, golden.Issued); err != nil || !got.Equal(&p) {
						return fmt.Errorf("%+v, %w", got, err)
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

func FuzzOpen(f *testing.F) {
	r := newKeyring(f, goldenKey, passport.Key{Name: "k2", Secret: bytes.Repeat([]byte{7}, 40)})
	f.Add(unhex(f, goldenSealed))
	f.Add(seal(goldenKey, unhex(f, goldenBody)))
	f.Add(seal(passport.Key{Name: "k2", Secret: bytes.Repeat([]byte{8}, 40)}, unhex(f, goldenBody)))
	f.Add(seal(goldenKey, unhex(f, "dd ffffffff")))
	f.Add(unhex(f, "93 a26b32 c400 c400"))
	f.Add(change(f, r, unhex(f, goldenSealed), "members", func(p *passport.Passport) { p.Plan = "basic" }))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := passport.Peek(b); err != nil && !p.Equal(&passport.Passport{}) {
			t.Fatalf("peek: %+v, %v", p, err)
		}
		p, err := r.Open(b, golden.Issued)
		switch {
		case err == nil:
			if p.Plan, p.Origin = golden.Plan, golden.Origin; !p.Equal(&golden) { // all that was ever sealed, and changed
				t.Fatalf("%x opens as %+v", b, p)
			}
		case !p.Equal(&passport.Passport{}):
			t.Fatalf("%+v, %v", p, err)
		case !errors.Is(err, passport.ErrMissing) && !errors.Is(err, passport.ErrMalformed) && !errors.Is(err, passport.ErrForged):
			t.Fatal(err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	r := newKeyring(b, goldenKey)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Seal(golden); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen opens a passport again, as the calls of one device request do.
func BenchmarkOpen(b *testing.B) {
	r, sealed := newKeyring(b, goldenKey), unhex(b, goldenSealed)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Open(sealed, golden.Issued); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpenFirst opens a passport that has not been seen before.
func BenchmarkOpenFirst(b *testing.B) {
	r := newKeyring(b, goldenKey)
	var all [4096][]byte // more than are remembered
	for i := range all {
		p := golden
		p.Issued = p.Issued.Add(time.Duration(i) * time.Millisecond)
		var err error
		if all[i], err = r.Seal(p); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := r.Open(all[i%len(all)], golden.Issued); err != nil {
			b.Fatal(err)
		}
	}
}
