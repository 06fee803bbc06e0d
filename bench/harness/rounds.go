package harness

import "slices"

// Median of values, of which there is at least one; of an even number it is the
// mean of the middle two.
func Median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// Rotated is the order of a round, from 0: each contender, or what else takes turns,
// is the first once, or close to it.
func Rotated[T any](all []T, round, rounds int) []T {
	at := round * len(all) / rounds % len(all)
	return append(slices.Clone(all[at:]), all[:at]...)
}
