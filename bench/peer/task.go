package peer

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/load"
	"warmline.dev/bench/tier"
)

// Kinds of jobs.
const (
	Page  = "page"
	Chain = "chain" // of N questions
	Fan   = "fan"   // of N questions
)

// What a client does besides jobs.
const (
	Lines  = "lines"  // opens lines until there are N; jobs take them in turn
	Hold   = "hold"   // opens conversations until N are held, see [contender.Holder]
	Again  = "again"  // asks N of those that are held: it fails if one has ended
	Settle = "settle" // gives back memory that it does not need
)

// Task is a load of jobs of one kind, or something that is done once, without a load.
type Task struct {
	Kind string      `json:"kind"`
	N    int         `json:"n,omitempty"`
	Load load.Config `json:"load"`
}

// Taken is what a task came to: of the jobs, and of the adapter meanwhile.
type Taken struct {
	load.Sample
	Adapter harness.Usage `json:"adapter"`
}

// Served is what a server has used since it began, and the bytes that its
// connections have carried, both ways; 0 where that isn't known.
type Served struct {
	harness.Usage
	Bytes int64 `json:"bytes"`
}

// which are the parts of an error by which two of a kind differ: ports, and what was
// asked for.
var which = regexp.MustCompile(`127\.0\.0\.1:\d+|\?[^\s":]+`)

// ofAKind leaves them out, and errors besides the first, so that they can be counted.
func ofAKind(do load.Job) load.Job {
	return func(ctx context.Context, i int) error {
		err := do(ctx, i)
		if err == nil {
			return nil
		}
		first, _, _ := strings.Cut(err.Error(), "\n")
		return errors.New(which.ReplaceAllString(first, "…"))
	}
}

// job is the job of a task, for one user after another, by one line after another.
func (t Task) job(a *adapter) (load.Job, error) {
	switch {
	case t.Kind == Page:
		return func(ctx context.Context, i int) error {
			p, err := a.client(i).Page(ctx, a.whose(i))
			if err == nil && (len(p.Items) != tier.Limit || p.Items[tier.Limit-1].Title == "") {
				err = fmt.Errorf("a page of %d films: expected %d, with titles", len(p.Items), tier.Limit)
			}
			return err
		}, nil
	case t.Kind == Chain && t.N > 0:
		return func(ctx context.Context, i int) error {
			n, err := a.client(i).Chain(ctx, a.whose(i), t.N)
			if err == nil && n != t.N {
				err = fmt.Errorf("a chain of %d came to %d", t.N, n)
			}
			return err
		}, nil
	case t.Kind == Fan && t.N > 0:
		return func(ctx context.Context, i int) error {
			n, err := a.client(i).Fan(ctx, a.whose(i), t.N)
			if want := t.N * (t.N + 1) / 2; err == nil && n != want {
				err = fmt.Errorf("a fan of %d came to %d, want %d", t.N, n, want)
			}
			return err
		}, nil
	}
	return nil, fmt.Errorf("task %q of %d: expected a page, or a chain or a fan of at least 1", t.Kind, t.N)
}
