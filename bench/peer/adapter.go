package peer

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/load"
)

// adapter is what a client's process is, and has open.
type adapter struct {
	dial      func() (contender.Client, error)
	passports [][]byte
	clients   []contender.Client // each with a line of its own
	held      []contender.Held   // conversations
}

func (a *adapter) do(ctx context.Context, t Task) (taken Taken, err error) {
	before := a.usage()
	switch t.Kind {
	case Lines:
		err = a.open(ctx, t.N)
	case Hold:
		err = a.hold(ctx, t.N)
	case Again:
		err = a.again(ctx, t.N)
	case Settle:
		harness.Settle()
	default:
		var do load.Job
		if do, err = t.job(a); err != nil {
			return taken, err
		}
		runtime.GC() // what was before is not this task's
		before = a.usage()
		taken.Sample, err = load.Run(ctx, t.Load, ofAKind(do))
	}
	taken.Adapter = a.usage().Since(before)
	return taken, err
}

// usage is that of this process, or of those that are the adapter instead.
func (a *adapter) usage() harness.Usage {
	var sum harness.Usage
	elsewhere := false
	for _, c := range a.clients {
		if c, ok := c.(contender.Elsewhere); ok {
			u := c.Usage()
			sum.CPU += u.CPU
			sum.Memory += u.Memory
			elsewhere = true
		}
	}
	if elsewhere {
		return sum
	}
	return harness.ThisUsage()
}

// whose and client of a job: one after another.
func (a *adapter) whose(i int) []byte            { return a.passports[i%len(a.passports)] }
func (a *adapter) client(i int) contender.Client { return a.clients[i%len(a.clients)] }

// mostElsewhere is how many processes of an adapter's own a machine is asked to bear.
const mostElsewhere = 10

// What is opened and asked besides jobs, so many at a time, each within patience.
const (
	openedAtOnce = 64
	patience     = 30 * time.Second
)

// open opens lines until there are n. A job is done on each, as some connect no
// sooner than that.
func (a *adapter) open(ctx context.Context, n int) error {
	first := len(a.clients)
	if _, elsewhere := a.clients[0].(contender.Elsewhere); elsewhere && n > mostElsewhere {
		return fmt.Errorf("%d lines: expected at most %d, as each is of an adapter that is a process of its own", n, mostElsewhere)
	}
	if n > first {
		a.clients = append(a.clients, make([]contender.Client, n-first)...)
	}
	var all errgroup.Group
	all.SetLimit(openedAtOnce)
	for i := first; i < n; i++ {
		all.Go(func() (err error) {
			if a.clients[i], err = a.dial(); err == nil {
				ctx, cancel := context.WithTimeout(ctx, patience)
				defer cancel()
				_, err = a.clients[i].Page(ctx, a.whose(i))
			}
			if err != nil {
				return fmt.Errorf("line %d of %d: %w", i+1, n, err)
			}
			return nil
		})
	}
	return all.Wait()
}

// hold opens conversations until n are held.
func (a *adapter) hold(ctx context.Context, n int) error {
	first := len(a.held)
	if n > first {
		a.held = append(a.held, make([]contender.Held, n-first)...)
	}
	var all errgroup.Group
	all.SetLimit(openedAtOnce)
	for i := first; i < n; i++ {
		all.Go(func() (err error) {
			holder, ok := a.client(i).(contender.Holder)
			if !ok {
				return fmt.Errorf("a %T can hold no conversation open", a.client(i))
			}
			if a.held[i], err = holder.Hold(ctx, a.whose(i)); err == nil {
				err = follow(ctx, a.held[i], 1)
			}
			if err != nil {
				return fmt.Errorf("conversation %d of %d: %w", i+1, n, err)
			}
			return nil
		})
	}
	return all.Wait()
}

// again asks n of the conversations that are held, from the first to the last.
func (a *adapter) again(ctx context.Context, n int) error {
	n = min(n, len(a.held))
	for i := range n {
		at := i * (len(a.held) - 1) / max(1, n-1)
		if err := follow(ctx, a.held[at], 2); err != nil {
			return fmt.Errorf("conversation %d of %d did not stay open: %w", at+1, len(a.held), err)
		}
	}
	return nil
}

// follow asks a conversation what comes after n.
func follow(ctx context.Context, h contender.Held, n int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	next, err := h.Next(ctx, n)
	if err == nil && next != n+1 {
		err = fmt.Errorf("after %d comes %d", n, next)
	}
	return err
}
