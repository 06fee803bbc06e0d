package chart_test

import (
	"fmt"
	"math"
	"testing"

	"warmline.dev/bench/report/chart"
)

// linear is a colour as amounts of light.
func linear(t *testing.T, hex string) (c [3]float64) {
	t.Helper()
	var v [3]uint8
	if _, err := fmt.Sscanf(hex, "#%02X%02X%02X", &v[0], &v[1], &v[2]); err != nil {
		t.Fatalf("%s: %v", hex, err)
	}
	for i := range v {
		c[i] = float64(v[i]) / 255
		if c[i] <= 0.04045 {
			c[i] /= 12.92
		} else {
			c[i] = math.Pow((c[i]+0.055)/1.055, 2.4)
		}
	}
	return c
}

// WCAG 2.1 asks for a contrast of 3 to 1 for what is drawn, 4.5 to 1 for text.
func TestInksStandOutFromThePaper(t *testing.T) {
	brightness := func(hex string) float64 {
		c := linear(t, hex)
		return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2]
	}
	for _, theme := range []chart.Theme{chart.Light, chart.Dark} {
		check := func(name string, ink chart.Ink, least float64) {
			a, b := brightness(theme.Hex(ink)), brightness(theme.Hex(chart.Paper))
			if got := (max(a, b) + 0.05) / (min(a, b) + 0.05); got < least {
				t.Errorf("theme %d, %s: %.2f to 1, want %g", theme, name, got, least)
			}
		}
		check("text", chart.Text, 7)
		check("quiet", chart.Quiet, 4.5)
		for _, name := range append(names, "other 3", "other 4") {
			check(name, chart.NewPalette([]string{"somebody's own", "another", "other 3", "other 4"}).Ink(name), 3)
		}
	}
}

// How colours look to eyes without cones for long, medium or short waves, and to
// others (Machado, Oliveira and Fernandes, 2009).
var eyes = map[string][3][3]float64{
	"all cones":       {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"no long waves":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"no medium waves": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"no short waves":  {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

// lab is a colour in CIELAB, in which 2.3 is a difference that can just be seen.
func lab(c [3]float64) [3]float64 {
	for i := range c {
		c[i] = max(0, min(1, c[i]))
	}
	f := func(t float64) float64 {
		if t > 0.008856 {
			return math.Cbrt(t)
		}
		return 7.787*t + 16.0/116
	}
	x := f((0.4124*c[0] + 0.3576*c[1] + 0.1805*c[2]) / 0.95047)
	y := f(0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2])
	z := f((0.0193*c[0] + 0.1192*c[1] + 0.9505*c[2]) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

func TestContendersThatMeetDifferForAllEyes(t *testing.T) {
	const clearly = 12
	for _, met := range [][]string{
		{"http1", "http2", "grpc-unary", "grpc-bidi", "rsocket-go", "warmline", "warmline-pipelined", "node"},
		{"tcp", "tcp-pipelined", "http1", "grpc-unary", "grpc-bidi", "rsocket-go", "warmline", "warmline-channel", "warmline-each"},
	} {
		for _, theme := range []chart.Theme{chart.Light, chart.Dark} {
			for eye, m := range eyes {
				seen := func(name string) [3]float64 {
					c := linear(t, theme.Hex(chart.NewPalette(nil).Ink(name)))
					var s [3]float64
					for i := range s {
						s[i] = m[i][0]*c[0] + m[i][1]*c[1] + m[i][2]*c[2]
					}
					return lab(s)
				}
				for i, a := range met {
					for _, b := range met[:i] {
						p, q := seen(a), seen(b)
						if d := math.Hypot(math.Hypot(p[0]-q[0], p[1]-q[1]), p[2]-q[2]); d < clearly {
							t.Errorf("theme %d, %s: %s and %s are %.1f apart", theme, eye, a, b, d)
						}
					}
				}
			}
		}
	}
}
