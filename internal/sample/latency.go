package sample

import (
	"context"
	"math"
	"math/rand/v2"
	"time"
)

const (
	spreadSigma = 0.3  // of the log-normal: nine of ten answers within 0.6× and 1.6×
	tailShare   = 0.01 // the share of answers that come late …
	tailFactor  = 8    // … and how late
	maxFactor   = 20   // no draw may pass this multiple of the median
)

// delay waits as long as one answer takes around the median, or until ctx ends.
func delay(ctx context.Context, median time.Duration) error {
	d := spread(median, rand.NormFloat64(), rand.Float64())
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// spread turns a median and two draws, one standard normal and one uniform in
// [0,1), into the time of one answer: log-normal, as services that wait on
// several others are, with an occasional tail.
func spread(median time.Duration, normal, uniform float64) time.Duration {
	factor := math.Exp(spreadSigma * normal)
	if uniform < tailShare {
		factor *= tailFactor
	}
	return time.Duration(float64(median) * min(factor, maxFactor))
}
