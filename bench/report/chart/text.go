package chart

import (
	"image/color"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// textStyle is sans-serif text; it begins at its point, on its base line.
func textStyle(size vg.Length, c color.Color, more ...func(*text.Style)) text.Style {
	s := text.Style{
		Color:   c,
		Font:    font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size),
		YAlign:  0,
		Handler: plot.DefaultTextHandler,
	}
	for _, change := range more {
		change(&s)
	}
	return s
}

func bold(s *text.Style)     { s.Font.Weight = xfont.WeightBold }
func fromLeft(s *text.Style) { s.YAlign = middle }
func toRight(s *text.Style)  { s.XAlign, s.YAlign = text.XRight, middle }
func centred(s *text.Style)  { s.XAlign = text.XCenter }

// middle has a point at half the height of the small letters' bodies; half of the
// whole height is below that, as few letters reach down.
const middle = text.YAlignment(-0.36)
