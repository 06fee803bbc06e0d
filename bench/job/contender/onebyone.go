package contender

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"warmline.dev/bench/tier"
	"warmline.dev/internal/sample/service"
)

// Asker asks the questions of one job. It may be used by many goroutines at once.
type Asker interface {
	Profile(ctx context.Context) (service.Profile, error)
	Row(ctx context.Context, of tier.RowOf) (service.Recommendations, error)
	Films(ctx context.Context, ids []int) (service.Videos2, error)
	Ratings(ctx context.Context, ids []int) (service.Ratings, error)
	Next(ctx context.Context, n int) (int, error)
	// Close ends the job. It may be called before all answers are there, if one failed.
	Close()
}

// OneByOne is a client that begins a job with each passport and asks for what a
// question needs before it asks the question; what can be asked at once, is.
type OneByOne func(ctx context.Context, passport []byte) (Asker, error)

// Page is [Client].
func (begin OneByOne) Page(ctx context.Context, passport []byte) (Page, error) {
	a, err := begin(ctx, passport)
	if err != nil {
		return Page{}, err
	}
	defer a.Close()
	p, err := a.Profile(ctx)
	if err != nil {
		return Page{}, err
	}
	recs, err := a.Row(ctx, tier.RowOf{Limit: tier.Limit, Language: p.Language})
	if err != nil {
		return Page{}, err
	}
	ids := ids(recs)
	var films service.Videos2
	var ratings service.Ratings
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() (err error) { films, err = a.Films(ctx, ids); return err })
	both.Go(func() (err error) { ratings, err = a.Ratings(ctx, ids); return err })
	if err := both.Wait(); err != nil {
		return Page{}, err
	}
	return shape(p, recs, films, ratings), nil
}

// Chain is [Client].
func (begin OneByOne) Chain(ctx context.Context, passport []byte, depth int) (n int, err error) {
	a, err := begin(ctx, passport)
	if err != nil {
		return 0, err
	}
	defer a.Close()
	for range depth {
		if n, err = a.Next(ctx, n); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// Fan is [Client].
func (begin OneByOne) Fan(ctx context.Context, passport []byte, width int) (int, error) {
	a, err := begin(ctx, passport)
	if err != nil {
		return 0, err
	}
	defer a.Close()
	var sum atomic.Int64
	all, ctx := errgroup.WithContext(ctx)
	for i := range width {
		all.Go(func() error {
			n, err := a.Next(ctx, i)
			sum.Add(int64(n))
			return err
		})
	}
	err = all.Wait()
	return int(sum.Load()), err
}
