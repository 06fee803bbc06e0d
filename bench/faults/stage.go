package faults

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"warmline.dev/bench/load"
	"warmline.dev/bench/peer"
)

// Event is something that was done to the edges.
type Event struct {
	At   int64  `json:"t_ms"` // since the load began
	What string `json:"what"`
}

// stage is processes that are up, and what is done to them.
type stage struct {
	ctx       context.Context // its end kills them
	contender string
	ttl       time.Duration
	addresses []string
	edges     []*edge // by address; nil: none there
	client    *peer.Client

	began  time.Time // of the load
	events []Event
}

// edge is one that may be killed.
type edge struct {
	*peer.Server
	cancel context.CancelFunc
}

// kill returns when it is gone.
func (e *edge) kill() {
	e.cancel()
	for {
		if _, err := e.Line(); err != nil { // that it was killed
			return
		}
	}
}

// start starts an edge at an address, from 0.
func (s *stage) start(at int) error {
	ctx, cancel := context.WithCancel(s.ctx)
	server, err := peer.StartEdge(ctx, s.contender, peer.Edge{Address: s.addresses[at], TTL: s.ttl})
	if err != nil {
		cancel()
		return err
	}
	s.edges[at] = &edge{server, cancel}
	return nil
}

// stop ends all that are up.
func (s *stage) stop() error {
	var errs []error
	if s.client != nil {
		errs = append(errs, s.client.Stop())
	}
	for _, e := range s.edges {
		if e != nil {
			errs = append(errs, e.Stop())
			e.cancel()
		}
	}
	return errors.Join(errs...)
}

func (s *stage) note(what string) {
	s.events = append(s.events, Event{time.Since(s.began).Milliseconds(), what})
}

// on has work done with the processes for a fault, and stops them.
func (r *run) on(ctx context.Context, name string, f Fault, work func(*stage) error) (err error) {
	const patience = 60 * time.Second // to start, connect and answer what is under way
	limit := 2*(r.cfg.WarmUp+r.cfg.Duration) + patience
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done after %v", limit))
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx) // that it was killed says nothing
		}
	}()
	addresses, release, err := reserve(f.edges + f.spare)
	if err != nil {
		return err
	}
	defer release()
	s := &stage{ctx: ctx, contender: name, ttl: f.ttl(r.cfg.Duration), addresses: addresses, edges: make([]*edge, len(addresses))}
	defer func() { err = errors.Join(err, s.stop()) }()
	for i := range f.edges {
		if err := s.start(i); err != nil {
			return err
		}
	}
	if s.client, err = peer.StartResilient(ctx, name, addresses...); err != nil {
		return err
	}
	return work(s)
}

// timeout of a job: what a gateway gives a device request by default.
const timeout = 2 * time.Second

// closed is the load that finds out what can be done.
func (r *run) closed(d time.Duration) load.Config {
	const concurrency = 16
	return load.Config{Concurrency: concurrency, Duration: d, Timeout: timeout}
}

// take measures a contender through a fault.
func (s *stage) take(r *run, f Fault) (taken sample, err error) {
	l := load.Config{Rate: r.cfg.Rate, Duration: r.cfg.Duration, Timeout: timeout, Bucket: bucket}
	if r.cfg.WarmUp > 0 {
		if _, err := s.client.Do(peer.Task{Kind: peer.Page, Load: r.closed(r.cfg.WarmUp)}); err != nil {
			return taken, err
		}
	}
	if f.Name == Overload {
		can, err := s.client.Do(peer.Task{Kind: peer.Page, Load: r.closed(r.cfg.Duration / 3)})
		if err != nil {
			return taken, err
		}
		if can.Done == 0 {
			return taken, fmt.Errorf("no job was done in a closed loop: %v", can.Errors)
		}
		taken.capacity = can.JobsPerSec
		l.Rate = overdue * can.JobsPerSec
	}
	taken.rate = l.Rate
	l.Concurrency = 100_000 // whoever is due is begun
	both, ctx := errgroup.WithContext(s.ctx)
	s.began = time.Now()
	both.Go(func() (err error) {
		taken.Taken, err = s.client.Do(peer.Task{Kind: peer.Page, Load: l})
		return err
	})
	if f.happens != nil {
		both.Go(func() error { return f.happens(ctx, s, r.cfg.Duration) })
	}
	err = both.Wait()
	taken.events = s.events
	if err == nil && taken.Done == 0 {
		err = fmt.Errorf("no job was done: %v", taken.Errors)
	}
	return taken, err
}
