package cookie_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"warmline.dev/passport/cookie"
)

func BenchmarkSeal(b *testing.B) {
	j := goldenJar(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := j.Seal(golden); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	j, w := goldenJar(b), httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		if err := j.Write(w, golden); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead is what a device request costs at the gateway: its cookie among others.
func BenchmarkRead(b *testing.B) {
	j := goldenJar(b)
	plain := golden
	plain.Passport.Preferences = nil
	pair := j.Name() + "=" + sealed(b, j, golden)
	others := strings.Repeat("name=value; ", 10)
	for name, tc := range map[string]struct {
		line string
		want error
	}{
		"Good":          {others + pair, nil},
		"NoPreferences": {others + j.Name() + "=" + sealed(b, j, plain), nil},
		"Missing":       {others, cookie.ErrMissing},
		"Forged":        {others + pair[:len(pair)-4] + "AAAA", cookie.ErrForged},
		"Megabyte":      {strings.Repeat("a", 1<<20) + "; " + pair, cookie.ErrMissing},
		"Thousands":     {strings.Repeat(";", 10_000) + pair, cookie.ErrMissing},
		"ManyForged":    {strings.Repeat(pair[:len(pair)-4]+"AAAA; ", 1000) + pair, cookie.ErrForged},
	} {
		b.Run(name, func(b *testing.B) {
			r := request(tc.line)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := j.Read(r, golden.Issued); !errors.Is(err, tc.want) {
					b.Fatal(err)
				}
			}
		})
	}
}
