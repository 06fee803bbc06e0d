package chart

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Bars is a panel of bars that begin at zero, one below the other.
type Bars struct {
	Title string
	Bars  []Bar
}

// Bar is one of [Bars]. Its figures are in the unit that the title says.
type Bar struct {
	Name      string
	Ink       Ink
	Bold      bool
	Parts     []float64 // of which it is made; the second is lighter than the first
	Low, High float64   // drawn as a thin line if High is not 0
	Label     string    // at its end
}

func (b Bar) sum() float64 {
	sum := 0.0
	for _, part := range b.Parts {
		sum += part
	}
	return sum
}

// end is how far it reaches, with its line.
func (b Bar) end() float64 { return max(b.sum(), b.High) }

const (
	rowHeight  = 19
	axisHeight = 22
)

func (b Bars) title() string { return b.Title }

func (b Bars) rows() int { return max(len(b.Bars), 1) }

func (b Bars) height(Form) vg.Length { return vg.Length(b.rows())*rowHeight + axisHeight }

func (b Bars) plot(_ Form, t Theme) *plot.Plot {
	p := newPlot(t)
	p.HideY()
	p.Y.Padding = 0
	p.Y.Min, p.Y.Max = -0.5, float64(b.rows())-0.5
	most := 0.0
	for _, bar := range b.Bars {
		most = max(most, bar.end())
	}
	Axis{}.set(&p.X, 0, most)
	p.Add(grid{t, true}, bars{b, t})
	return p
}

// bars draws them.
type bars struct {
	of Bars
	t  Theme
}

func (b bars) y(i int) float64 { return float64(b.of.rows() - 1 - i) }

func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for i, bar := range b.of.Bars {
		middle, thick := y(b.y(i)), vg.Length(rowHeight*0.34)
		from := 0.0
		for n, part := range bar.Parts {
			c.SetColor(b.t.color(bar.Ink))
			if n > 0 {
				c.SetColor(faded{b.t.color(bar.Ink)})
			}
			box := vg.Rectangle{Min: vg.Point{X: x(from), Y: middle - thick}, Max: vg.Point{X: x(from + part), Y: middle + thick}}
			c.Fill(box.Path())
			from += part
		}
		if bar.High > 0 {
			line := draw.LineStyle{Color: b.t.color(Text), Width: 1}
			c.StrokeLine2(line, x(bar.Low), middle, x(bar.High), middle)
			for _, end := range []float64{bar.Low, bar.High} {
				c.StrokeLine2(line, x(end), middle-3, x(end), middle+3)
			}
		}
		name, label := b.styles(bar)
		c.FillText(name, vg.Point{X: c.Min.X - 6, Y: middle}, bar.Name)
		c.FillText(label, vg.Point{X: x(bar.end()) + 5, Y: middle}, bar.Label)
	}
}

func (b bars) styles(bar Bar) (name, label draw.TextStyle) {
	name, label = textStyle(12, b.t.color(Text), toRight), textStyle(11, b.t.color(Text), fromLeft)
	if bar.Bold {
		bold(&name)
		bold(&label)
	}
	return name, label
}

// GlyphBoxes has room made for names and labels.
func (b bars) GlyphBoxes(p *plot.Plot) []plot.GlyphBox {
	var boxes []plot.GlyphBox
	for _, bar := range b.of.Bars {
		name, label := b.styles(bar)
		boxes = append(boxes,
			sideBox(0, -name.Width(bar.Name)-7, 0),
			sideBox(p.X.Norm(bar.end()), 0, label.Width(bar.Label)+6))
	}
	return boxes
}

// sideBox is a box that reaches from one distance from x, a fraction of the
// width, to another, and has no height.
func sideBox(x float64, from, to vg.Length) plot.GlyphBox {
	return plot.GlyphBox{X: x, Rectangle: vg.Rectangle{Min: vg.Point{X: from}, Max: vg.Point{X: to}}}
}

// grid draws quiet lines where the marks of an axis are.
type grid struct {
	t   Theme
	ofX bool
}

func (g grid) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	line := draw.LineStyle{Color: g.t.color(Grid), Width: 1}
	if g.ofX {
		for _, tick := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
			if at := x(tick.Value); c.ContainsX(at) {
				c.StrokeLine2(line, at, c.Min.Y, at, c.Max.Y)
			}
		}
		return
	}
	for _, tick := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if at := y(tick.Value); c.ContainsY(at) {
			c.StrokeLine2(line, c.Min.X, at, c.Max.X, at)
		}
	}
}
