package load

import (
	"context"
	"fmt"
	"time"
)

// Job is done once; it is told how many were begun before it.
type Job func(ctx context.Context, i int) error

// Config is a load.
type Config struct {
	// Concurrency is how many jobs are under way at any time, in an open loop the
	// most that may be: one more is not begun, and has failed. At least 1.
	Concurrency int `json:"concurrency"`
	// Rate is how many jobs are begun in a second, at random moments that are the
	// same in each run; 0: a closed loop.
	Rate float64 `json:"rate"`
	// Duration is how long jobs are begun for.
	Duration time.Duration `json:"duration_ns"`
	// Timeout is the time that a job has. Required.
	Timeout time.Duration `json:"timeout_ns"`
	// Bucket is the width of a bucket of the timeline; 0: there is none.
	Bucket time.Duration `json:"bucket_ns,omitempty"`
}

// Check says what is wrong with it, nil if nothing is.
func (c Config) Check() error {
	switch {
	case c.Concurrency < 1 || c.Concurrency > 100_000:
		return fmt.Errorf("concurrency %d: expected 1 to 100000", c.Concurrency)
	case c.Rate < 0 || c.Rate > 1e6:
		return fmt.Errorf("rate %g: expected 0 (a closed loop) to 1000000 a second", c.Rate)
	case c.Duration <= 0 || c.Timeout <= 0:
		return fmt.Errorf("duration %v, timeout %v: expected more than nothing", c.Duration, c.Timeout)
	case c.Bucket < 0 || c.Bucket > 0 && c.Duration/c.Bucket > 100_000:
		return fmt.Errorf("buckets of %v: expected at most 100000 of them", c.Bucket)
	}
	return nil
}
