package cli

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// tier is one running part of the system.
type tier struct {
	name   string
	failed <-chan error // gets one error if it stops by itself; nil: it can't
	stop   func(ctx context.Context) error
}

// serve runs a function that serves until it is stopped, and reports when it
// stops for any other reason.
func serve(run func() error, closed error) <-chan error {
	failed := make(chan error, 1)
	go func() {
		if err := run(); !errors.Is(err, closed) {
			failed <- err
		}
		close(failed)
	}()
	return failed
}

// untilDone waits until ctx ends or a tier fails, and stops the tiers in their
// order: each finishes what is under way before the next one goes.
func (s *settings) untilDone(ctx context.Context, tiers ...*tier) error {
	failure := make(chan error, len(tiers))
	for _, t := range tiers {
		if t.failed != nil {
			go func() {
				if err, ok := <-t.failed; ok {
					failure <- fmt.Errorf("%s: %w", t.name, err)
				}
			}()
		}
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failure:
	}
	return errors.Join(err, s.stopAll(tiers...))
}

// stopAll gives all tiers together the grace period.
func (s *settings) stopAll(tiers ...*tier) error {
	ctx, cancel := context.WithTimeout(context.Background(), max(s.grace, time.Millisecond))
	defer cancel()
	var errs []error
	for _, t := range tiers {
		if err := t.stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: not everything finished within %v: %w", t.name, s.grace, err))
		}
	}
	return errors.Join(errs...)
}
