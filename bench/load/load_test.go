package load_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/bench/load"
)

func TestAClosedLoopKeepsSoManyUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		s, err := load.Run(t.Context(), load.Config{Concurrency: 3, Duration: time.Second, Timeout: time.Second}, func(context.Context, int) error {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(10 * time.Millisecond)
			now.Add(-1)
			return nil
		})
		if err != nil || most.Load() != 3 || s.Done != 300 || s.JobsPerSec != 300 || s.Failed != 0 {
			t.Errorf("%d under way, %+v, %v; want 3, and 300 jobs", most.Load(), s, err)
		}
		if s.P50 < 10_000 || s.P50 > 10_200 {
			t.Errorf("the median is %g µs, want 10 ms", s.P50)
		}
	})
}

// In an open loop what waits for its turn has waited since it was due.
func TestAnOpenLoopCountsTheQueue(t *testing.T) {
	one := make(chan struct{}, 1)
	s, err := load.Run(t.Context(), load.Config{Concurrency: 1000, Rate: 500, Duration: 200 * time.Millisecond, Timeout: time.Minute, Bucket: 50 * time.Millisecond}, func(context.Context, int) error {
		one <- struct{}{}
		time.Sleep(10 * time.Millisecond) // 100 a second at most
		<-one
		return nil
	})
	if err != nil || s.Done != s.Begun || s.Done < 50 {
		t.Fatalf("%+v, %v", s, err)
	}
	if s.P99 < 300_000 { // some hundred jobs are due in 200 ms, and take a second
		t.Errorf("p99 is %g µs: the queue is not in it", s.P99)
	}
	if s.JobsPerSec > 110 {
		t.Errorf("%g jobs/s, where 100 can be done", s.JobsPerSec)
	}
	sum := int64(0)
	for _, b := range s.Timeline {
		sum += b.OK
	}
	if len(s.Timeline) != 4 || sum != s.Done {
		t.Errorf("the timeline has %d of %d jobs in %d buckets", sum, s.Done, len(s.Timeline))
	}
}

func TestFailuresAreCountedAndMoreThanMayBeAreNotBegun(t *testing.T) {
	s, err := load.Run(t.Context(), load.Config{Concurrency: 1, Rate: 1000, Duration: 100 * time.Millisecond, Timeout: 30 * time.Millisecond, Bucket: time.Second}, func(ctx context.Context, i int) error {
		<-ctx.Done()
		return errors.New("it hung")
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Done != 0 || s.Failed != s.Begun || s.Errors["it hung"] < 1 || s.Errors["it hung"] > 5 || s.Errors["not begun: 1 are under way"] < 10 || s.Timeline[0].Failed != s.Failed {
		t.Errorf("%+v", s)
	}
}

func TestAContextThatEndsEndsTheLoad(t *testing.T) {
	for _, rate := range []float64{0, 1000} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err := load.Run(ctx, load.Config{Concurrency: 10, Rate: rate, Duration: time.Hour, Timeout: time.Hour}, func(ctx context.Context, _ int) error {
			<-ctx.Done()
			return ctx.Err()
		})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	}
}

func TestALoadThatMakesNoSenseIsRefused(t *testing.T) {
	good := load.Config{Concurrency: 1, Duration: 1, Timeout: 1}
	for _, wrong := range []func(*load.Config){
		func(c *load.Config) { c.Concurrency = 0 },
		func(c *load.Config) { c.Rate = -1 },
		func(c *load.Config) { c.Duration = 0 },
		func(c *load.Config) { c.Timeout = 0 },
		func(c *load.Config) { c.Duration, c.Bucket = time.Hour, 1 },
	} {
		cfg := good
		wrong(&cfg)
		if _, err := load.Run(t.Context(), cfg, nil); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
}
