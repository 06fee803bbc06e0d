package chart

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Lines is a panel of lines, each named at its right end.
type Lines struct {
	Title string
	X, Y  Axis
	Lines []Line
}

// Line is one of [Lines]. Points that a log axis has no place for are left out.
type Line struct {
	Name   string
	Ink    Ink
	Bold   bool
	Dashed bool
	Plain  bool    // without a dot at each point
	Points []Point // by X
}

// Point is one of a [Line].
type Point struct{ X, Y float64 }

const linesHeight = 230

func (l Lines) title() string { return l.Title }

func (l Lines) height(Form) vg.Length {
	h := max(linesHeight, vg.Length(len(l.Lines))*labelHeight+60)
	if l.X.Name != "" {
		h += 16
	}
	return h
}

func (l Lines) plot(_ Form, t Theme) *plot.Plot {
	p := newPlot(t)
	l.Lines = l.drawable()
	// What there is to see without a line.
	x, y := [2]float64{0, 1}, [2]float64{0, 1}
	if l.Y.Log {
		y[0] = 0.1
	}
	if l.X.Log {
		x[0] = 0.1
	}
	first := true
	for _, line := range l.Lines {
		for _, at := range line.Points {
			if first {
				x, y, first = [2]float64{at.X, at.X}, [2]float64{at.Y, at.Y}, false
			}
			x = [2]float64{min(x[0], at.X), max(x[1], at.X)}
			y = [2]float64{min(y[0], at.Y), max(y[1], at.Y)}
		}
	}
	l.X.set(&p.X, x[0], x[1])
	if !l.X.Log && l.X.At == nil && x[1] > p.X.Min {
		p.X.Max = x[1] // the last point is at the edge
	}
	l.Y.set(&p.Y, y[0], y[1])
	p.X.Label.Text = l.X.Name
	p.Add(grid{t, false}, lines{l, t})
	return p
}

// drawable leaves out what a log axis can't show: nothing, and less than a
// thousand-millionth of the most.
func (l Lines) drawable() []Line {
	var kept []Line
	most := Point{}
	for _, line := range l.Lines {
		for _, at := range line.Points {
			most = Point{max(most.X, at.X), max(most.Y, at.Y)}
		}
	}
	hidden := func(p Point) bool {
		return l.X.Log && (p.X <= 0 || p.X < most.X/1e9) || l.Y.Log && (p.Y <= 0 || p.Y < most.Y/1e9)
	}
	for _, line := range l.Lines {
		line.Points = slices.DeleteFunc(slices.Clone(line.Points), hidden)
		if len(line.Points) > 0 {
			kept = append(kept, line)
		}
	}
	return kept
}

// lines draws them.
type lines struct {
	of Lines
	t  Theme
}

const labelHeight = 14

func (l lines) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	// The bold last, above the others.
	order := slices.Clone(l.of.Lines)
	slices.SortStableFunc(order, func(a, b Line) int {
		switch {
		case a.Bold == b.Bold:
			return 0
		case b.Bold:
			return -1
		}
		return 1
	})
	for _, line := range order {
		ink := l.t.color(line.Ink)
		style := draw.LineStyle{Color: ink, Width: 1.5}
		if line.Bold {
			style.Width = 2.75
		}
		if line.Dashed {
			style.Dashes = []vg.Length{5, 3}
		}
		points := make([]vg.Point, len(line.Points))
		for i, at := range line.Points {
			points[i] = vg.Point{X: x(at.X), Y: y(at.Y)}
		}
		c.StrokeLines(style, points)
		for _, at := range points {
			if !line.Plain || len(points) == 1 {
				c.DrawGlyphNoClip(draw.GlyphStyle{Color: ink, Radius: style.Width/2 + 1.75, Shape: draw.CircleGlyph{}}, at)
			}
		}
	}
	l.label(c, x, y)
}

// label writes the names at the right edge, apart from one another.
func (l lines) label(c draw.Canvas, x, y func(float64) vg.Length) {
	order := slices.Clone(l.of.Lines)
	last := func(line Line) Point { return line.Points[len(line.Points)-1] }
	slices.SortStableFunc(order, func(a, b Line) int {
		switch d := last(a).Y - last(b).Y; {
		case d < 0:
			return -1
		case d > 0:
			return 1
		}
		return 0
	})
	wanted := make([]vg.Length, len(order))
	for i, line := range order {
		wanted[i] = y(last(line).Y)
	}
	at := apart(wanted, labelHeight, c.Min.Y, c.Max.Y)
	for i, line := range order {
		from, to := x(last(line).X)+5, c.Max.X+14
		if from < c.Max.X || math.Abs(float64(at[i]-wanted[i])) > 2 {
			c.StrokeLines(draw.LineStyle{Color: l.t.color(line.Ink), Width: 0.5},
				[]vg.Point{{X: from, Y: wanted[i]}, {X: max(from, c.Max.X+4), Y: wanted[i]}, {X: to, Y: at[i]}})
		}
		c.FillText(l.style(line), vg.Point{X: to + 2, Y: at[i]}, line.Name)
	}
}

func (l lines) style(line Line) draw.TextStyle {
	s := textStyle(11, l.t.color(line.Ink), fromLeft)
	if line.Bold {
		bold(&s)
	}
	return s
}

// GlyphBoxes has room made for the names.
func (l lines) GlyphBoxes(*plot.Plot) []plot.GlyphBox {
	var boxes []plot.GlyphBox
	for _, line := range l.of.Lines {
		boxes = append(boxes, sideBox(1, 0, l.style(line).Width(line.Name)+18))
	}
	return boxes
}

// apart moves ascending places until they have distance from each other, and as
// little as that takes; they stay within the limits if these have room for all.
func apart(wanted []vg.Length, distance, least, most vg.Length) []vg.Length {
	// Places that touch are a block, which stands in the middle of where its own
	// want to be.
	type block struct {
		first, n int
		at       vg.Length // of the first
	}
	var blocks []block
	place := func(b block) block {
		sum := vg.Length(0)
		for i := range b.n {
			sum += wanted[b.first+i] - vg.Length(i)*distance
		}
		b.at = max(least, min(sum/vg.Length(b.n), most-vg.Length(b.n-1)*distance))
		return b
	}
	for i := range wanted {
		b := place(block{first: i, n: 1})
		for len(blocks) > 0 {
			before := blocks[len(blocks)-1]
			if before.at+vg.Length(before.n)*distance <= b.at {
				break
			}
			blocks = blocks[:len(blocks)-1]
			b = place(block{first: before.first, n: before.n + b.n})
		}
		blocks = append(blocks, b)
	}
	var at []vg.Length
	for _, b := range blocks {
		for i := range b.n {
			at = append(at, b.at+vg.Length(i)*distance)
		}
	}
	return at
}
