package chart

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Chart is panels under one heading. It is drawn as SVG by [Chart.SVG] and
// [Chart.Inline], and as PNG by [Chart.PNG].
type Chart struct {
	Title  string
	Sub    string // units, and what is shown
	Foot   string // where and when it was measured
	Panels []Panel

	// Columns of panels in the wide form; 0 is one. The narrow form has one.
	Columns int
}

// Panel is one of [Bars], [Lines] and [Areas].
type Panel interface {
	title() string
	height(f Form) vg.Length // without its title
	plot(f Form, t Theme) *plot.Plot
}

// Form is the size that a chart is drawn for.
type Form struct {
	Width   float64 // in units of which a text is 12 high
	Heading bool    // with title, sub and foot, for who sees it alone
	narrow  bool
}

// The forms: of a file, and of a page with the heading beside it.
var (
	File   = Form{Width: 880, Heading: true}
	Wide   = Form{Width: 880}
	Narrow = Form{Width: 360, narrow: true}
)

const (
	titleHeight   = 34 // of a panel's title, with what is above it
	betweenPanels = 28
	margin        = 14
	headHeight    = 48
	footHeight    = 22
)

func (c Chart) grid(f Form) (columns, rows int) {
	columns = max(1, c.Columns)
	if f.narrow {
		columns = 1
	}
	columns = min(columns, max(1, len(c.Panels)))
	return columns, (len(c.Panels) + columns - 1) / columns
}

// size of the chart in a form. All panels are of the height of the highest.
func (c Chart) size(f Form) (w, h vg.Length) {
	_, rows := c.grid(f)
	h = vg.Length(rows) * (c.highest(f) + titleHeight)
	if f.Heading {
		h += headHeight + footHeight + 2*margin
	}
	return vg.Length(f.Width), h
}

func (c Chart) highest(f Form) vg.Length {
	h := vg.Length(0)
	for _, p := range c.Panels {
		h = max(h, p.height(f))
	}
	return h
}

func (c Chart) draw(on draw.Canvas, f Form, t Theme) {
	if f.Heading {
		on.SetColor(t.color(Paper))
		on.Fill(on.Rectangle.Path())
		on = draw.Crop(on, margin, -margin, margin, -margin)
		on.FillText(textStyle(16, t.color(Text), bold), vg.Point{X: on.Min.X, Y: on.Max.Y - 14}, c.Title)
		on.FillText(textStyle(12, t.color(Quiet)), vg.Point{X: on.Min.X, Y: on.Max.Y - 34}, c.Sub)
		on.FillText(textStyle(11, t.color(Quiet)), vg.Point{X: on.Min.X, Y: on.Min.Y}, c.Foot)
		on = draw.Crop(on, 0, 0, footHeight, -headHeight)
	}
	columns, rows := c.grid(f)
	plots := make([][]*plot.Plot, rows)
	for row := range plots {
		plots[row] = make([]*plot.Plot, columns)
		for column := range columns {
			if i := row*columns + column; i < len(c.Panels) {
				plots[row][column] = c.Panels[i].plot(f, t)
			}
		}
	}
	tiles := draw.Tiles{Cols: columns, Rows: rows, PadX: betweenPanels, PadY: titleHeight, PadTop: titleHeight}
	canvases := plot.Align(plots, tiles, on)
	for row := range plots {
		for column, p := range plots[row] {
			if p == nil {
				continue
			}
			at := tiles.At(on, column, row)
			if name := c.Panels[row*columns+column].title(); name != "" {
				on.FillText(textStyle(12, t.color(Text), bold), vg.Point{X: at.Min.X, Y: at.Max.Y + 8}, name)
			}
			p.Draw(canvases[row][column])
		}
	}
}
