package cookie_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/chacha20poly1305"

	"warmline.dev/passport"
	"warmline.dev/passport/cookie"
)

// The example of doc.go.
var (
	goldenKey = passport.Key{Name: "2026-01", Secret: unhex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")}
	golden    = cookie.Cookie{
		Passport: passport.Passport{
			Customer: "c-1001", Profile: "p-1", Plan: "premium", Device: "tv", Country: "DE", Level: passport.Authenticated,
			Preferences: map[string]string{"autoplay": "off"},
		},
		Session:      cookie.Session(unhex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")),
		Begun:        time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC),
		Issued:       time.Date(2026, 1, 2, 4, 4, 5, 678_000_000, time.UTC),
		TrustedUntil: time.Date(2026, 1, 2, 12, 4, 5, 678_000_000, time.UTC),
	}
	goldenNonce = unhex("404142434445464748494a4b4c4d4e4f5051525354555657")
	goldenBody  = unhex(`8c 01 aa 74762e6578616d706c65 02 c410 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf
		03 d30000019b7ca98f2e 04 d30000019b7ce07dae 05 d30000019b7e97f1ae
		06 a6 632d31303031 07 a3 702d31 08 a7 7072656d69756d 09 a2 7476 0a a2 4445
		0b 02 0c 81 a8 6175746f706c6179 a3 6f6666`)
)

const goldenAudience = "tv.example"

// unhex reads hex with room in it.
func unhex(digits string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// seal is the sealed form as package cookie documents it, of any body.
func seal(t testing.TB, k passport.Key, nonce, body []byte) string {
	t.Helper()
	secret, err := hkdf.Key(sha256.New, k.Secret, nil, fmt.Sprintf("warmline cookie 1\x00%c%s", len(k.Name), k.Name), 32)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := chacha20poly1305.NewX(secret)
	if err != nil {
		t.Fatal(err)
	}
	head := append([]byte{1, byte(len(k.Name))}, k.Name...)
	return base64.RawURLEncoding.EncodeToString(aead.Seal(append(bytes.Clone(head), nonce...), nonce, body, head))
}

func newJar(t testing.TB, cfg cookie.Config) *cookie.Jar {
	t.Helper()
	if cfg.Keys == nil {
		cfg.Keys = []passport.Key{goldenKey}
	}
	j, err := cookie.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func goldenJar(t testing.TB) *cookie.Jar {
	return newJar(t, cookie.Config{Audience: goldenAudience})
}

func sealed(t testing.TB, j *cookie.Jar, c cookie.Cookie) string {
	t.Helper()
	value, err := j.Seal(c)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// opens fails the test if value is not opened as want.
func opens(t testing.TB, name string, j *cookie.Jar, value string, now time.Time, want cookie.Cookie) {
	t.Helper()
	got, err := j.Open(value, now)
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%s: %v\n%s", name, err, d)
	}
}

var all = []error{cookie.ErrMissing, cookie.ErrMalformed, cookie.ErrForged, cookie.ErrExpired, cookie.ErrFuture, cookie.ErrAudience}

// refused fails the test if value is opened, or is refused for another reason
// than want (any, if that is nil), or gives anything away.
func refused(t testing.TB, name string, j *cookie.Jar, value string, now time.Time, want error) {
	t.Helper()
	c, err := j.Open(value, now)
	known := false
	for _, one := range all {
		known = known || errors.Is(err, one)
	}
	if !known || want != nil && !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", name, err, want)
	}
	if !reflect.DeepEqual(c, cookie.Cookie{}) {
		t.Errorf("%s gives %+v", name, c)
	}
}

// request is one with these Cookie headers.
func request(lines ...string) *http.Request {
	return &http.Request{Header: http.Header{"Cookie": lines}}
}
