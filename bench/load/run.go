package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"warmline.dev/bench/harness"
)

// Run does jobs as cfg says, waits for those under way, and tells what it came to.
// The end of ctx is an error; that of a job is counted. It adds less than a
// microsecond of processor time to a job in a closed loop; in an open one the waking
// of its clock and of a processor for the job, 40 to 70 on a machine that idles.
func Run(ctx context.Context, cfg Config, do Job) (Sample, error) {
	if err := cfg.Check(); err != nil {
		return Sample{}, err
	}
	r := &run{cfg: cfg, do: do, began: time.Now()}
	if cfg.Rate == 0 {
		r.closed(ctx)
	} else {
		r.open(ctx)
	}
	if err := ctx.Err(); err != nil {
		return Sample{}, err
	}
	return r.all().sample(cfg), nil
}

type run struct {
	cfg   Config
	do    Job
	began time.Time
	next  atomic.Int64 // number of the next job

	mu      sync.Mutex
	tallies []*tally // guarded by mu
}

// job does the next one, which was due so long after the beginning.
func (r *run) job(ctx context.Context, t *tally, due time.Duration) (over time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	err := r.do(ctx, int(r.next.Add(1)-1))
	over = time.Since(r.began)
	t.count(r.cfg, due, over, err)
	return over
}

func (r *run) closed(ctx context.Context) {
	var all sync.WaitGroup
	for range r.cfg.Concurrency {
		t := r.tally()
		all.Go(func() {
			at := time.Since(r.began)
			for at < r.cfg.Duration && ctx.Err() == nil {
				at = r.job(ctx, t, at) // one look at the clock for each job
			}
		})
	}
	all.Wait()
}

func (r *run) open(ctx context.Context) {
	runtime.LockOSThread() // for SleepUntil
	defer runtime.UnlockOSThread()
	arrivals := rand.New(rand.NewPCG(1, 2))
	var underWay atomic.Int64
	var all sync.WaitGroup
	free := sync.Pool{New: func() any { return r.tally() }}
	refused := r.tally()
	due := time.Duration(0)
	for {
		due += time.Duration(arrivals.ExpFloat64() / r.cfg.Rate * float64(time.Second))
		if due >= r.cfg.Duration || ctx.Err() != nil {
			break
		}
		harness.SleepUntil(r.began.Add(due))
		if underWay.Add(1) > int64(r.cfg.Concurrency) {
			underWay.Add(-1)
			refused.count(r.cfg, due, due, fmt.Errorf("not begun: %d are under way", r.cfg.Concurrency))
			continue
		}
		at := due
		all.Go(func() {
			defer underWay.Add(-1)
			t := free.Get().(*tally)
			defer free.Put(t)
			r.job(ctx, t, at)
		})
	}
	all.Wait()
}

// tally returns a new one, that counts in the end.
func (r *run) tally() *tally {
	t := newTally(r.cfg)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tallies = append(r.tallies, t)
	return t
}

func (r *run) all() *tally {
	sum := newTally(r.cfg)
	for _, t := range r.tallies {
		sum.merge(t)
	}
	return sum
}
