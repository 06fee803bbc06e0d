package sample

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// service is one of those of [Names]. Its address, counts and data outlast its runs.
type service struct {
	name     string
	mux      *http.ServeMux
	current  *current
	requests atomic.Int64
	givenUp  atomic.Int64
	open     gauge

	// addr is where it listens: as configured until start has found a port, not
	// written to from then on.
	addr string

	// turn is held by whoever starts or ends a run; a channel and not a mutex so
	// that waiting for it can end with a context. It guards what follows.
	turn   chan struct{}
	run    *run // nil: not listening
	closed bool // for good
}

func newService(name, addr string, latency time.Duration, routes map[string]endpoint) *service {
	s := &service{
		name:    name,
		mux:     http.NewServeMux(),
		current: newCurrent(latency),
		addr:    addr,
		turn:    make(chan struct{}, 1),
	}
	for pattern, e := range routes {
		s.mux.Handle(pattern, e)
	}
	for pattern, e := range s.controlRoutes() {
		s.mux.Handle(pattern, e)
	}
	return s
}

// start begins to serve and fixes the address. It is called once, before anyone
// else has s.
func (s *service) start() error {
	listener, err := s.listen()
	if err != nil {
		return err
	}
	s.addr = listener.Addr().String()
	s.run = startRun(listener, s.handler)
	return nil
}

func (s *service) listen() (net.Listener, error) {
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		return nil, s.wrap(fmt.Errorf("cannot listen on %s: %w", s.addr, err))
	}
	return listener, nil
}

// stop ends the run, if there is one.
func (s *service) stop() error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	if s.run == nil {
		return nil
	}
	err := s.run.stop()
	s.run = nil
	return s.wrap(err)
}

// restart serves again at the address that start found.
func (s *service) restart() error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	switch {
	case s.closed:
		return s.wrap(errors.New("it was shut down"))
	case s.run != nil:
		return s.wrap(errors.New("it is running already"))
	}
	listener, err := s.listen()
	if err != nil {
		return err
	}
	s.run = startRun(listener, s.handler)
	return nil
}

// shutdown ends the run gracefully and allows no other.
func (s *service) shutdown(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
	default:
		// A context that has ended already must not win over a turn that is free: the
		// service would stay up.
		select {
		case s.turn <- struct{}{}:
		case <-ctx.Done():
			return s.wrap(fmt.Errorf("shutdown: %w", ctx.Err()))
		}
	}
	defer func() { <-s.turn }()
	s.closed = true
	if s.run == nil {
		return nil
	}
	err := s.run.drain(ctx)
	s.run = nil
	return s.wrap(err)
}

// wrap says whose error it is.
func (s *service) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("sample: %s: %w", s.name, err)
}
