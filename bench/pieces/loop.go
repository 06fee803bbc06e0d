package pieces

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"warmline.dev/bench/harness"
)

// loop does an op n times.
type loop func(n int) error

// batch is how long the ops are to take between two looks at the clock and the context.
const batch = 5 * time.Millisecond

// measure times ops for a while, as testing.Benchmark does, but for its end: that of
// ctx, too, and after the duration rather than after a number of ops.
func (do loop) measure(ctx context.Context, cfg Config) (sample, error) {
	n, err := do.warmUp(ctx, cfg.WarmUp)
	if err != nil {
		return sample{}, err
	}
	runtime.GC() // of what others left
	ops, took := 0, time.Duration(0)
	before := harness.ThisUsage()
	for began := time.Now(); took < cfg.Duration; took = time.Since(began) {
		if err := do.once(ctx, n); err != nil {
			return sample{}, err
		}
		ops += n
	}
	return per(ops, took, harness.ThisUsage().Since(before)), nil
}

// per is what each op took of all.
func per(ops int, took time.Duration, used harness.Usage) sample {
	n := float64(ops)
	return sample{float64(took) / n, float64(used.CPU) / n, float64(used.Mallocs) / n, float64(used.Allocated) / n}
}

// warmUp runs for so long, and until it knows how many ops make a batch.
func (do loop) warmUp(ctx context.Context, d time.Duration) (n int, err error) {
	n = 1
	for began := time.Now(); ; {
		at := time.Now()
		if err := do.once(ctx, n); err != nil {
			return 0, err
		}
		enough := time.Since(at) >= batch
		if enough && time.Since(began) >= d {
			return n, nil
		}
		if !enough {
			n *= 2
		}
	}
}

func (do loop) once(ctx context.Context, n int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return do(n)
}

// parallel shares the ops out among as many goroutines as there are processors.
func parallel(do loop) loop {
	const share = 4096
	return func(n int) error {
		var taken atomic.Int64
		var all errgroup.Group
		for range runtime.GOMAXPROCS(0) {
			all.Go(func() error {
				for {
					from := int(taken.Add(share)) - share
					if from >= n {
						return nil
					}
					if err := do(min(share, n-from)); err != nil {
						return err
					}
				}
			})
		}
		return all.Wait()
	}
}
