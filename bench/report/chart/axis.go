package chart

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
)

// Axis is one of a panel of [Lines]. Its unit stands in the panel's title or Name.
type Axis struct {
	Name string // of a horizontal axis, below it
	Log  bool   // else it begins at 0
	At   []Tick // what is marked; none: round numbers
}

// Tick is a mark on an axis.
type Tick struct {
	At   float64
	Name string
}

// set gives an axis of a plot its range and marks.
func (a Axis) set(to *plot.Axis, least, most float64) {
	if a.Log {
		to.Scale, to.Tick.Marker = plot.LogScale{}, plot.TickerFunc(logTicks)
		to.Min, to.Max = roundDown(least), roundUp(most)
		if to.Min == to.Max {
			to.Min, to.Max = to.Min/2, to.Max*2
		}
	} else {
		to.Min, to.Max, to.Tick.Marker = 0, most, plot.TickerFunc(linearTicks)
		if to.Max-to.Min < 1e-9 {
			to.Max = to.Min + 1
		}
		// So that the highest mark is in sight.
		to.Max += (to.Max - to.Min) * 0.02
	}
	if a.At != nil {
		var marks plot.ConstantTicks
		for _, tick := range a.At {
			if a.Log && tick.At <= 0 {
				continue
			}
			marks = append(marks, plot.Tick{Value: tick.At, Label: tick.Name})
			to.Min, to.Max = min(to.Min, tick.At), max(to.Max, tick.At)
		}
		to.Tick.Marker = marks
	}
}

// linearTicks are round numbers, without marks between.
func linearTicks(least, most float64) []plot.Tick {
	var ticks []plot.Tick
	for _, tick := range (plot.DefaultTicks{}).Ticks(least, most) {
		if !tick.IsMinor() {
			ticks = append(ticks, plot.Tick{Value: tick.Value, Label: short(tick.Value)})
		}
	}
	return ticks
}

// logTicks are the powers of ten; where those are few, 2 and 5 times them, too.
func logTicks(least, most float64) []plot.Tick {
	var ticks []plot.Tick
	named := []float64{1}
	if most/least <= 100 {
		named = []float64{1, 2, 5}
	}
	for power := math.Floor(math.Log10(least)); power <= math.Ceil(math.Log10(most)); power++ {
		for _, times := range named {
			v := times * math.Pow(10, power)
			ticks = append(ticks, plot.Tick{Value: v, Label: short(v)})
		}
	}
	return ticks
}

// roundDown and roundUp are the nearest 1, 2 or 5 times a power of ten.
func roundDown(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, times := range []float64{5, 2, 1} {
		if times*power <= v*1.000001 {
			return times * power
		}
	}
	return power
}

func roundUp(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, times := range []float64{1, 2, 5} {
		if times*power >= v*0.999999 {
			return times * power
		}
	}
	return 10 * power
}

// short writes 20000 as 20k, and no digits that say nothing.
func short(v float64) string {
	switch {
	case math.Abs(v) >= 1e9:
		return short(v/1e9) + "G"
	case math.Abs(v) >= 1e6:
		return short(v/1e6) + "M"
	case math.Abs(v) >= 1e4:
		return short(v/1e3) + "k"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// style gives an axis the look of all: no ticks, quiet numbers.
func style(to *plot.Axis, t Theme, y text.YAlignment) {
	to.Width, to.Tick.Length, to.Tick.Width, to.Padding = 0, 0, 0, 4
	to.Tick.Label.Color = t.color(Quiet)
	to.Tick.Label.Font = textStyle(11, nil).Font
	to.Tick.Label.YAlign = y
	to.Label.TextStyle = textStyle(11, t.color(Quiet), centred)
	to.Label.Padding = 3
}

func newPlot(t Theme) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	style(&p.X, t, text.YTop)
	style(&p.Y, t, text.YCenter)
	return p
}
