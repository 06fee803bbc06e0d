package chart_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/png"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"warmline.dev/bench/report/chart"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var names = []string{
	"warmline", "warmline-pipelined", "warmline-channel", "warmline-each", "http1", "http2",
	"grpc-unary", "grpc-bidi", "rsocket-go", "node", "tcp", "tcp-pipelined", "somebody's own", "another",
}

// every has a panel of each kind, with a bar or a line for each name.
func every(names []string) chart.Chart {
	p := chart.NewPalette(names)
	bars, lines, ratios := chart.Bars{Title: "bars"}, chart.Lines{Title: "lines"}, chart.Ratios{Title: "ratios"}
	for i, name := range names {
		v := float64(i + 1)
		bars.Bars = append(bars.Bars, chart.Bar{Name: name, Ink: p.Ink(name), Parts: []float64{v, 1}, Low: v, High: v + 2, Label: fmt.Sprint(v)})
		lines.Lines = append(lines.Lines, chart.Line{Name: name, Ink: p.Ink(name), Points: []chart.Point{{X: 1, Y: v}, {X: 2, Y: 5 + v/100}}})
		ratios.Ratios = append(ratios.Ratios, chart.Ratio{Name: name, Of: v / 3, Label: fmt.Sprint(v)})
	}
	areas := chart.Areas{Title: "areas", Ink: p.Ink("http1"), Steps: []chart.Step{{From: 0, To: 1, OK: 9}, {From: 1, To: 2, OK: 5, Failed: 4}}, Marks: []float64{1}}
	return chart.Chart{Title: "title", Sub: "sub", Foot: "foot", Columns: 2, Panels: []chart.Panel{bars, lines, ratios, areas}}
}

// texts returns what an SVG says, or fails if it is no XML.
func texts(t *testing.T, svg string) []string {
	t.Helper()
	var said []string
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return said
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, svg)
		}
		switch token := token.(type) {
		case xml.CharData:
			if s := strings.TrimSpace(string(token)); s != "" {
				said = append(said, s)
			}
		case xml.StartElement:
			if !slices.Contains([]string{"svg", "g", "path", "text"}, token.Name.Local) {
				t.Errorf("an element <%s>", token.Name.Local)
			}
		}
	}
}

func TestSVGSaysWhatIsInTheChart(t *testing.T) {
	hostile := []string{`</text><script>alert("1")</script>`, `" onload="x`, "a & b", "ein Gerät", "名前"}
	for _, f := range []chart.Form{chart.File, chart.Wide, chart.Narrow} {
		c := every(hostile)
		for _, svg := range []string{string(c.SVG(f, chart.Light)), string(c.SVG(f, chart.Dark)), c.Inline(f)} {
			said := texts(t, svg)
			for _, name := range append(hostile, "bars", "lines", "areas", "ratios") {
				if !slices.Contains(said, name) {
					t.Errorf("%q is not in it: %q", name, said)
				}
			}
			if got := slices.Contains(said, "title") && slices.Contains(said, "sub") && slices.Contains(said, "foot"); got != f.Heading {
				t.Errorf("heading: %v", got)
			}
		}
	}
}

func TestInlineHasTheColoursOfThePage(t *testing.T) {
	c := every(names)
	svg := c.Inline(chart.Wide)
	if found := regexp.MustCompile(`#[0-9A-Fa-f]{6}`).FindString(svg); found != "" {
		t.Errorf("%s is not one of the page's", found)
	}
	for _, v := range regexp.MustCompile(`var\((--[^)]+)\)`).FindAllStringSubmatch(svg, -1) {
		for _, theme := range []chart.Theme{chart.Light, chart.Dark} {
			if !strings.Contains(theme.Variables(), v[1]+":#") {
				t.Errorf("%s is not among the page's", v[1])
			}
		}
	}
	if !strings.HasPrefix(svg, "<svg ") {
		t.Errorf("it begins with %.40q", svg)
	}
}

func TestPNGIsTwoPixelsForEachUnit(t *testing.T) {
	for _, theme := range []chart.Theme{chart.Light, chart.Dark} {
		b, err := every(names).PNG(chart.Narrow, theme)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if w := img.Bounds().Dx(); w != 2*int(chart.Narrow.Width) {
			t.Errorf("%d pixels wide", w)
		}
		paper := map[chart.Theme]uint32{chart.Light: 0xFFFF, chart.Dark: 0x1414}[theme]
		if r, _, _, a := img.At(1, 1).RGBA(); r != paper || a != 0xFFFF {
			t.Errorf("the paper is %x, %x", r, a)
		}
	}
}

// Lines that end at the same place have names that don't lie on each other.
func TestNamesOfLinesAreApart(t *testing.T) {
	for _, f := range []chart.Form{chart.Wide, chart.Narrow} {
		c := every(names)
		c.Panels = c.Panels[1:2]
		svg := string(c.SVG(f, chart.Light))
		var at []float64
		for _, name := range names {
			m := regexp.MustCompile(`y="(-?[\d.]+)"[^>]*>` + regexp.QuoteMeta(strings.ReplaceAll(name, "'", "&#39;")) + `<`).FindStringSubmatch(svg)
			if m == nil {
				t.Fatalf("%s is not in it", name)
			}
			y, err := strconv.ParseFloat(m[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			at = append(at, y)
		}
		slices.Sort(at)
		for i := 1; i < len(at); i++ {
			if at[i]-at[i-1] < 12 {
				t.Errorf("%g and %g: too near", at[i-1], at[i])
			}
		}
	}
}

func TestWhatCantBeDrawnIsLeftOut(t *testing.T) {
	for name, p := range map[string]chart.Panel{
		"nothing":          chart.Lines{},
		"no bars":          chart.Bars{},
		"no steps":         chart.Areas{},
		"no ratios":        chart.Ratios{},
		"zero on a log":    chart.Lines{X: chart.Axis{Log: true, At: []chart.Tick{{0, "0"}}}, Y: chart.Axis{Log: true}, Lines: []chart.Line{{Name: "x", Points: []chart.Point{{0, 1}, {1, 0}}}}},
		"only zeros":       chart.Lines{X: chart.Axis{Log: true}, Y: chart.Axis{Log: true}, Lines: []chart.Line{{Name: "x", Points: []chart.Point{{0, 0}, {1, 0}}}}},
		"far apart":        chart.Lines{X: chart.Axis{Log: true}, Y: chart.Axis{Log: true}, Lines: []chart.Line{{Name: "x", Points: []chart.Point{{1, 1e-300}, {2, 1e15}}}}},
		"one point":        chart.Lines{Lines: []chart.Line{{Name: "x", Points: []chart.Point{{0, 0}}}}},
		"one point on log": chart.Lines{X: chart.Axis{Log: true}, Y: chart.Axis{Log: true}, Lines: []chart.Line{{Name: "x", Points: []chart.Point{{7, 7}}}}},
		"tiny":             chart.Bars{Bars: []chart.Bar{{Name: "x", Parts: []float64{1e-300}}}},
		"endless":          chart.Ratios{Ratios: []chart.Ratio{{Name: "x", Of: math.Inf(1)}, {Name: "y", Of: 0}}},
	} {
		for _, f := range []chart.Form{chart.File, chart.Narrow} {
			svg := string(chart.Chart{Title: "x", Panels: []chart.Panel{p}}.SVG(f, chart.Light))
			texts(t, svg)
			if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
				t.Errorf("%s: %s", name, svg)
			}
		}
	}
	texts(t, string(chart.Chart{}.SVG(chart.File, chart.Light)))
}

func TestAContenderHasOneColour(t *testing.T) {
	p, q := chart.NewPalette(names), chart.NewPalette(append([]string{"warmline"}, names[3:]...))
	seen := map[chart.Ink]string{}
	for _, name := range names {
		if p.Ink(name) != q.Ink(name) {
			t.Errorf("%s: %v and %v", name, p.Ink(name), q.Ink(name))
		}
		if other, ok := seen[p.Ink(name)]; ok {
			t.Errorf("%s and %s have the same", name, other)
		}
		seen[p.Ink(name)] = name
	}
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprint(i))
	}
	for _, name := range many {
		_ = chart.Light.Hex(chart.NewPalette(many).Ink(name)) // there is one for everybody
	}
}
