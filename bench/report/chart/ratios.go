package chart

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Ratios is a panel of what was reached of what is allowed, on a log axis: a dot
// left of the line at 1 is within the limit.
type Ratios struct {
	Title  string
	Ratios []Ratio
}

// Ratio is one of [Ratios].
type Ratio struct {
	Name  string
	Of    float64 // of the limit
	Label string
}

func (r Ratios) title() string { return r.Title }

// In the narrow form a name stands above its dot.
func (r Ratios) row(f Form) vg.Length {
	if f.narrow {
		return 34
	}
	return rowHeight
}

func (r Ratios) height(f Form) vg.Length {
	return vg.Length(max(1, len(r.Ratios)))*r.row(f) + axisHeight
}

func (r Ratios) plot(f Form, t Theme) *plot.Plot {
	p := newPlot(t)
	p.HideY()
	p.Y.Padding = 0
	p.Y.Min, p.Y.Max = -0.5, float64(max(1, len(r.Ratios)))-0.5
	least, most := 0.5, 2.0
	for _, ratio := range r.Ratios {
		least, most = min(least, r.place(ratio)), max(most, r.place(ratio))
	}
	Axis{Log: true}.set(&p.X, least, most)
	p.X.Tick.Marker = plot.TickerFunc(func(least, most float64) []plot.Tick {
		ticks := logTicks(least, most)
		for i := range ticks {
			ticks[i].Label += "×"
		}
		return ticks
	})
	p.Add(grid{t, true}, ratios{r, f, t})
	return p
}

// place is where a ratio is drawn: at the edge if it is too far away.
func (Ratios) place(r Ratio) float64 { return max(0.01, min(r.Of, 100)) }

// ratios draws them.
type ratios struct {
	of Ratios
	f  Form
	t  Theme
}

func (r ratios) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	limit := draw.LineStyle{Color: r.t.color(Text), Width: 1.5}
	if !r.f.narrow {
		c.StrokeLine2(limit, x(1), c.Min.Y, x(1), c.Max.Y)
	}
	for i, ratio := range r.of.Ratios {
		middle := y(float64(len(r.of.Ratios) - 1 - i))
		name, label := r.styles(ratio)
		if r.f.narrow {
			c.FillText(name, vg.Point{X: c.Min.X, Y: middle + 9}, ratio.Name)
			middle -= 7
			c.StrokeLine2(limit, x(1), middle-8, x(1), middle+8) // not through the names
		} else {
			c.FillText(name, vg.Point{X: c.Min.X - 6, Y: middle}, ratio.Name)
		}
		at := vg.Point{X: x(r.of.place(ratio)), Y: middle}
		c.StrokeLine2(draw.LineStyle{Color: r.t.color(Quiet), Width: 1}, x(1), middle, at.X, middle)
		dot := draw.GlyphStyle{Color: r.ink(ratio), Radius: 4.5, Shape: draw.CircleGlyph{}}
		if ratio.Of > 1 {
			dot.Shape = draw.BoxGlyph{}
		}
		c.DrawGlyphNoClip(dot, at)
		c.FillText(label, vg.Point{X: max(at.X, x(1)) + 9, Y: middle}, ratio.Label)
	}
}

func (r ratios) ink(ratio Ratio) color.Color {
	if ratio.Of > 1 {
		return r.t.color(Text)
	}
	return r.t.color(firstOfContenders)
}

func (r ratios) styles(ratio Ratio) (name, label draw.TextStyle) {
	name, label = textStyle(12, r.t.color(Text), toRight), textStyle(11, r.t.color(Text), fromLeft)
	if r.f.narrow {
		name = textStyle(11, r.t.color(Text), fromLeft)
	}
	if ratio.Of > 1 {
		bold(&name)
		bold(&label)
	}
	return name, label
}

// GlyphBoxes has room made for names and labels.
func (r ratios) GlyphBoxes(p *plot.Plot) []plot.GlyphBox {
	boxes := []plot.GlyphBox{sideBox(0, -10, 0)} // the first number of the axis
	for _, ratio := range r.of.Ratios {
		name, label := r.styles(ratio)
		if !r.f.narrow {
			boxes = append(boxes, sideBox(0, -name.Width(ratio.Name)-7, 0))
		}
		boxes = append(boxes, sideBox(p.X.Norm(max(1, r.of.place(ratio))), 0, label.Width(ratio.Label)+11))
	}
	return boxes
}
