package chart

import (
	"fmt"
	"image/color"
)

// Ink is what something is drawn with, whatever colour that has in a theme.
type Ink int

// Inks of what is around the figures; those of contenders are [Palette]'s.
const (
	Paper Ink = iota
	Text
	Quiet // axes, units
	Grid
	firstOfContenders
)

// shade is one ink in both themes.
type shade struct{ name, light, dark string }

// shades are the inks, in order. Within a theme no two are the same: the page
// tells them apart by their colour.
var shades = []shade{
	{"paper", "#FFFFFF", "#14171B"},
	{"text", "#1C1F24", "#E9E7E4"},
	{"quiet", "#5C636D", "#A2A9B3"},
	{"grid", "#DFE2E6", "#333940"},
	{"warmline", "#D65A00", "#F2701F"},
	{"warmline-pipelined", "#901000", "#FFC384"},
	{"warmline-channel", "#743A00", "#F5E27A"},
	{"warmline-each", "#B57EBB", "#B84A58"},
	{"http1", "#2876DD", "#5B8CDB"},
	{"http2", "#125376", "#14B8B8"},
	{"grpc-unary", "#0A3B2C", "#5CF0CB"},
	{"grpc-bidi", "#32A05C", "#B4DC2E"},
	{"rsocket-go", "#431A8C", "#7A62EA"},
	{"node", "#758993", "#BC7A66"},
	{"tcp", "#3B4D75", "#A0DCFF"},
	{"tcp-pipelined", "#77686A", "#868AA0"},
	{"other-1", "#7A6A00", "#D9D08A"},
	{"other-2", "#00807A", "#7FD6C2"},
	{"other-3", "#A0306A", "#E58AB8"},
	{"other-4", "#4F6A1E", "#9CBF6A"},
}

// Theme is the colours of a chart.
type Theme int

// The themes.
const (
	Light Theme = iota
	Dark
)

// Hex is the colour of an ink, as CSS has it.
func (t Theme) Hex(i Ink) string {
	if t == Dark {
		return shades[i].dark
	}
	return shades[i].light
}

func (t Theme) color(i Ink) color.Color {
	var c color.NRGBA
	_, _ = fmt.Sscanf(t.Hex(i), "#%02X%02X%02X", &c.R, &c.G, &c.B) // they are above
	c.A = 0xFF
	return c
}

// faded lets the paper through. It is rounded up, so that who divides by the
// opacity and rounds down comes to the ink again, and not to one below.
type faded struct{ color.Color }

func (f faded) RGBA() (r, g, b, a uint32) {
	const opacity = 0x8080
	r, g, b, _ = f.Color.RGBA()
	part := func(v uint32) uint32 { return (v*opacity + 0xFFFE) / 0xFFFF }
	return part(r), part(g), part(b), opacity
}

// Palette says which contender has which ink: those it knows have their own, and
// others one of a few.
type Palette struct{ others []string }

// NewPalette makes room for contenders that are not known. More than there are
// inks share them.
func NewPalette(names []string) Palette {
	var p Palette
	for _, name := range names {
		if _, known := inkOf(name); !known {
			p.others = append(p.others, name)
		}
	}
	return p
}

// Ink of a contender.
func (p Palette) Ink(name string) Ink {
	if i, known := inkOf(name); known {
		return i
	}
	first, _ := inkOf("other-1")
	for i, other := range p.others {
		if other == name {
			return first + Ink(i%(len(shades)-int(first)))
		}
	}
	return first
}

func inkOf(name string) (Ink, bool) {
	for i := firstOfContenders; int(i) < len(shades); i++ {
		if shades[i].name == name {
			return i, true
		}
	}
	return 0, false
}

// Variables are the colours of a theme as CSS custom properties.
func (t Theme) Variables() string {
	s := ""
	for i, sh := range shades {
		s += fmt.Sprintf("--%s:%s;", sh.name, t.Hex(Ink(i)))
	}
	return s
}
