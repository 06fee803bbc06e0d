package faults

import (
	"context"
	"fmt"
	"time"
)

// Faults.
const (
	None     = "none"
	Kill     = "kill"
	Hang     = "hang"
	Replace  = "replace"
	Overload = "overload"
)

// Fault is something that happens to edges under load.
type Fault struct {
	Name  string
	What  string // for the reader of a table
	edges int    // at the beginning
	spare int    // addresses that are known and nobody's at the beginning
	loads bool   // values have to be read again meanwhile

	// happens does it, once a part of the measurement's duration d is over. It
	// returns when that is done, or when the run ends.
	happens func(ctx context.Context, s *stage, d time.Duration) error
}

// Times of what happens.
const (
	bucket  = 100 * time.Millisecond // of the timeline
	outage  = time.Second            // a third of the duration, if that is less
	overdue = 2.0                    // the rate of an overload, in what can be done
)

func all() []Fault {
	return []Fault{
		{Name: None, What: "nothing happens", edges: 2},
		{Name: Kill, What: "one of two edges is killed (-9), and back at its address a second later", edges: 2, happens: kill},
		{
			Name: Hang, What: "the source behind the edges hangs for a second; values are fresh for less, and each read of it is given up after 100 ms",
			edges: 2, loads: true, happens: hang,
		},
		{Name: Replace, What: "both edges are replaced, one after the other: a new one starts at a third address, then the old one finishes what it has", edges: 2, spare: 1, happens: replace},
		{Name: Overload, What: "one edge, twice as many jobs as it carries in a closed loop", edges: 1},
	}
}

// Names are the names of all.
func Names() []string {
	var names []string
	for _, f := range all() {
		names = append(names, f.Name)
	}
	return names
}

func find(name string) (Fault, error) {
	for _, f := range all() {
		if f.Name == name {
			return f, nil
		}
	}
	return Fault{}, fmt.Errorf("no fault %q", name)
}

// ttl is how long a value is fresh in a measurement so long.
func (f Fault) ttl(d time.Duration) time.Duration {
	if !f.loads {
		return 0 // longer than it takes
	}
	return min(outage, d/3) / 2
}

func kill(ctx context.Context, s *stage, d time.Duration) error {
	if err := sleep(ctx, d/4); err != nil {
		return err
	}
	s.note("edge 1 is killed")
	s.edges[0].kill()
	s.edges[0] = nil
	if err := sleep(ctx, min(outage, d/3)); err != nil {
		return err
	}
	if err := s.start(0); err != nil {
		return err
	}
	s.note("edge 1 is back")
	return nil
}

func hang(ctx context.Context, s *stage, d time.Duration) error {
	if err := sleep(ctx, d/4); err != nil {
		return err
	}
	for _, hangs := range []bool{true, false} {
		for _, e := range s.edges {
			if err := e.Hang(hangs); err != nil {
				return err
			}
		}
		if !hangs {
			s.note("the source answers again")
			break
		}
		s.note("the source hangs")
		if err := sleep(ctx, min(outage, d/3)); err != nil {
			return err
		}
	}
	return nil
}

// replace has at any time two edges that are up at least. An address that is free
// again is that of the next one.
func replace(ctx context.Context, s *stage, d time.Duration) error {
	free := 2
	for old := range 2 {
		if err := sleep(ctx, d/4); err != nil {
			return err
		}
		if err := s.start(free); err != nil {
			return err
		}
		s.note(fmt.Sprintf("a new edge is up, edge %d stops", old+1))
		e := s.edges[old]
		s.edges[old] = nil
		if err := e.Shutdown(); err != nil {
			return err
		}
		s.note(fmt.Sprintf("edge %d has stopped", old+1))
		free = old
	}
	return nil
}

// sleep returns early, with an error, when ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
