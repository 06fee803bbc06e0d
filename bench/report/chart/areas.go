package chart

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Areas is a panel of what happened over time: what went well as an area of
// colour, and on top of it what failed, as dark as text.
type Areas struct {
	Title string
	X     Axis
	Ink   Ink
	Steps []Step
	Most  float64   // the end of the vertical axis at least, for panels that are compared
	Until float64   // the end of the horizontal axis at least
	Marks []float64 // where an upright line is
}

// Step is what happened until the next one.
type Step struct{ From, To, OK, Failed float64 }

const areasHeight = 120

func (a Areas) title() string { return a.Title }

func (a Areas) height(Form) vg.Length {
	if a.X.Name != "" {
		return areasHeight + 16
	}
	return areasHeight
}

func (a Areas) plot(_ Form, t Theme) *plot.Plot {
	p := newPlot(t)
	until, most := a.Until, a.Most
	for _, s := range a.Steps {
		until, most = max(until, s.To), max(most, s.OK+s.Failed)
	}
	a.X.set(&p.X, 0, until)
	Axis{}.set(&p.Y, 0, most)
	p.X.Label.Text = a.X.Name
	p.Add(grid{t, false}, areas{a, t})
	return p
}

// areas draws them.
type areas struct {
	of Areas
	t  Theme
}

func (a areas) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	fill := func(color color.Color, from, to func(Step) float64) {
		var below, above []vg.Point
		for _, s := range a.of.Steps {
			above = append(above, vg.Point{X: x(s.From), Y: y(to(s))}, vg.Point{X: x(s.To), Y: y(to(s))})
			below = append(below, vg.Point{X: x(s.From), Y: y(from(s))}, vg.Point{X: x(s.To), Y: y(from(s))})
		}
		for i := range below {
			above = append(above, below[len(below)-1-i])
		}
		if len(above) > 0 {
			c.FillPolygon(color, above)
		}
	}
	ok := func(s Step) float64 { return s.OK }
	fill(faded{a.t.color(a.of.Ink)}, func(Step) float64 { return 0 }, ok)
	fill(a.t.color(Text), ok, func(s Step) float64 { return s.OK + s.Failed })
	for _, mark := range a.of.Marks {
		if at := x(mark); c.ContainsX(at) {
			c.StrokeLine2(draw.LineStyle{Color: a.t.color(Quiet), Width: 1, Dashes: []vg.Length{3, 3}}, at, c.Min.Y, at, c.Max.Y)
		}
	}
	var edge []vg.Point
	for _, s := range a.of.Steps {
		edge = append(edge, vg.Point{X: x(s.From), Y: y(s.OK)}, vg.Point{X: x(s.To), Y: y(s.OK)})
	}
	c.StrokeLines(draw.LineStyle{Color: a.t.color(a.of.Ink), Width: 1.5}, edge)
}
