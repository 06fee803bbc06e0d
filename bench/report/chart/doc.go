// Package chart draws the charts of a report.
//
//   - A [Chart] is a few panels under one heading: [Bars], [Lines] or [Areas].
//   - A [Form] is a size it is drawn for: a wide page or a phone.
//   - A [Theme] is the colours: on white paper or on black.
//
// A contender has the same colour in every chart, from [Palette]. The colours were
// chosen so that any two that meet in a chart differ for people who see no
// difference between red and green, or blue and yellow, too, and stand out from the
// paper. Names stand beside what they name, so no chart needs colour to be read.
//
// Text in SVG is left to the fonts of the reader: Liberation Sans, by which it was
// measured, or one of the same widths.
package chart
