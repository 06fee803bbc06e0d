package peer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"warmline.dev/bench/link"
)

// Pair is the processes of a measurement, which are up: a server, its client, and
// what is between them.
type Pair struct {
	Server *Server
	Client *Client
	Link   *link.Process // nil: there is none
}

// With starts a pair with a round-trip time between its processes (0: no link), does
// work with it and stops it. work says how long it takes at most; starting has its
// own time.
func With(ctx context.Context, contender string, rtt, atMost time.Duration, work func(Pair) error) (err error) {
	const patience = 60 * time.Second // to start, connect and answer what is under way
	limit := atMost + patience
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done after %v", limit))
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx) // that it was killed says nothing
		}
	}()
	var p Pair
	if p.Server, err = StartServer(ctx, contender); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Server.Stop()) }()
	address := p.Server.Address
	if rtt > 0 {
		if p.Link, err = link.Start(ctx, rtt/2, address); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, p.Link.Stop()) }()
		address = p.Link.Addresses[0]
	}
	if p.Client, err = StartClient(ctx, contender, address); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Client.Stop()) }()
	return work(p)
}

// Measured is what a task came to: of the jobs and the adapter, and meanwhile of the
// edge, and of the link if there is one.
type Measured struct {
	Taken
	Edge Served
	Late link.Late
}

// Measure has a task done until what it needs is warm, and again.
func (p Pair) Measure(t Task, warmUp time.Duration) (m Measured, err error) {
	if warmUp > 0 {
		before := t
		before.Load.Duration = warmUp
		if _, err := p.Client.Do(before); err != nil {
			return m, err
		}
	}
	if _, err := p.late(); err != nil { // so that it begins anew
		return m, err
	}
	before, err := p.Server.Served()
	if err != nil {
		return m, err
	}
	if m.Taken, err = p.Client.Do(t); err != nil {
		return m, err
	}
	after, err := p.Server.Served()
	if err != nil {
		return m, err
	}
	m.Edge = Served{Usage: after.Since(before.Usage), Bytes: after.Bytes - before.Bytes}
	m.Late, err = p.late()
	return m, err
}

func (p Pair) late() (link.Late, error) {
	if p.Link == nil {
		return link.Late{}, nil
	}
	return p.Link.Late()
}
