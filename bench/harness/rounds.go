package harness

import "slices"

// Median of values, of which there is at least one; of an even number it is the
// mean of the middle two.
func Median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// Rotated is the order of a round, from 0: each contender has its turn to be first,
// or close to it.
func Rotated(names []string, round, rounds int) []string {
	at := round * len(names) / rounds % len(names)
	return append(slices.Clone(names[at:]), names[:at]...)
}
