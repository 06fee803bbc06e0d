package harness

import (
	"fmt"
	"math"
	"strconv"
)

// Figure writes ratios with two decimals, and from a thousand on without.
func Figure(f float64) string {
	if f >= 1000 {
		return Thousands(f)
	}
	return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64)
}

// Latency writes microseconds with three digits that say something.
func Latency(micros float64) string {
	switch {
	case micros < 100:
		return fmt.Sprintf("%.1f µs", micros)
	case micros < 1000:
		return fmt.Sprintf("%.0f µs", micros)
	case micros < 100_000:
		return fmt.Sprintf("%.1f ms", micros/1e3)
	}
	return fmt.Sprintf("%.0f ms", micros/1e3)
}

// Bytes writes a size in its unit, with one decimal from a KiB on.
func Bytes(f float64) string {
	switch {
	case math.Abs(f) < 1<<10:
		return fmt.Sprintf("%.0f B", f)
	case math.Abs(f) < 1<<20:
		return fmt.Sprintf("%.1f KiB", f/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", f/(1<<20))
}

// Thousands writes a whole number with its thousands apart.
func Thousands(f float64) string {
	s := strconv.FormatFloat(math.Round(f), 'f', -1, 64)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
