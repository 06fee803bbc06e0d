package edge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/declare"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/internal/admin"
	"warmline.dev/internal/bus"
	"warmline.dev/internal/handover"
	"warmline.dev/internal/invalidation"
)

// Edge is one that runs. Make it with [Start].
type Edge struct {
	cfg    Config
	behind behind
	bus    *bus.Bus
	link   *invalidation.Link
	admin  *admin.Server // nil: none
	server *edgelayer.Server

	listener net.Listener
	address  string
	failed   chan error
	end      context.CancelFunc // of what runs in the background
	running  sync.WaitGroup

	reloading sync.Mutex // one at a time
	// guarded by reloading
	read    []byte // the declaration that is in force, or that has something wrong with it
	wrong   string // what
	seen    []byte // as it was looked at last
	stopped bool
}

// Start starts an edge and returns when it is ready, or what is wrong: mistakes in
// the declaration are a mistake.List. A context that ends before it is ready ends
// it. The caller ends it with Shutdown.
func Start(ctx context.Context, cfg Config) (_ *Edge, err error) {
	if cfg.WarmUp == 0 {
		cfg.WarmUp = 10 * time.Second
	}
	if err := cfg.check(); err != nil {
		return nil, ConfigError{err}
	}
	e := &Edge{cfg: cfg, failed: make(chan error, 1)}
	background, end := context.WithCancel(context.WithoutCancel(ctx))
	e.end, e.behind.warming = end, background
	defer func() {
		if err != nil {
			e.release()
		}
	}()
	declaration, err := e.first()
	if err != nil {
		return nil, err
	}
	tier, err := declare.New(declaration, declare.Config{Invalidate: e.written, Log: cfg.Log})
	if err != nil {
		return nil, err
	}
	e.behind.tier.Store(tier)
	limitMemory(tier)
	if e.bus, err = bus.Open(bus.Config{URL: cfg.Bus, Name: "warmline edge", Log: cfg.Log}); err != nil {
		return nil, err
	}
	if e.link, err = invalidation.Start(e.bus, &e.behind, cfg.Log); err != nil {
		return nil, err
	}
	if e.server, err = edgelayer.New(edgelayer.Config{
		Name: "edge", Version: cfg.Version, Keys: cfg.Keys, MaxAtOnce: cfg.MaxAtOnce, Services: tier.Services(), Peers: cfg.Known,
		Own: handover.Methods(e.behind.memories, e.link.Vouch), Figures: e.behind.figures, Log: cfg.Log,
	}); err != nil {
		return nil, err
	}
	if err := e.startAdmin(ctx); err != nil {
		return nil, err
	}
	// What is loaded before the bus is heard is dropped when it is: one in this process,
	// or near, is there at once.
	hearing, stop := context.WithTimeout(ctx, 100*time.Millisecond)
	_ = e.link.Ready(hearing)
	stop()
	e.warmUp(ctx)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("edge: told to stop while it started: %w", err)
	}
	if e.listener, e.address, err = cfg.Listen(ctx); err != nil {
		return nil, fmt.Errorf("edge: %w", err)
	}
	e.running.Go(func() {
		defer close(e.failed)
		if err := e.server.Serve(e.listener); !errors.Is(err, edgelayer.ErrServerClosed) {
			e.failed <- err
		}
	})
	e.running.Go(func() { e.look(background) })
	if e.admin != nil {
		e.admin.Ready()
	}
	return e, nil
}

// Address is what adapters dial.
func (e *Edge) Address() string { return e.address }

// Admin is the URL for operators, "" if there is none.
func (e *Edge) Admin() string {
	if e.admin == nil {
		return ""
	}
	return e.admin.URL()
}

// Bus is what others can join the bus at, "" if they can't.
func (e *Edge) Bus() string { return e.bus.Status().URL }

// Failed gets one error if the edge stops by itself, and is closed when it has
// stopped.
func (e *Edge) Failed() <-chan error { return e.failed }

// Stats are the figures that edge.stats gives.
func (e *Edge) Stats() edgelayer.Stats { return e.server.Stats() }

// PeersChanged has every line looked at again, when those that may dial were replaced.
func (e *Edge) PeersChanged() {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	if !e.stopped {
		e.server.PeersChanged()
	}
}

// written tells what a write has changed.
func (e *Edge) written(i warm.Invalidation) {
	_, _ = e.link.Tell(context.Background(), i) // it is logged, and told later
}

// invalidate does what an operator asks for.
func (e *Edge) invalidate(ctx context.Context, i warm.Invalidation) (admin.Result, error) {
	dropped, err := e.link.Tell(ctx, i)
	if err != nil {
		return admin.Result{Dropped: dropped, Bus: admin.NotTold}, err
	}
	return admin.Result{Dropped: dropped, Bus: admin.Told}, nil
}

func (e *Edge) startAdmin(ctx context.Context) (err error) {
	if e.cfg.Admin == "" {
		return nil
	}
	e.admin, err = admin.StartEdge(ctx, admin.Config{Address: e.cfg.Admin, TLS: e.cfg.AdminTLS, Log: e.cfg.Log}, admin.Edge{
		Peers: e.cfg.Known,
		Stats: e.server.Stats,
		Bus: func() (bool, time.Time) {
			s := e.bus.Status()
			return s.Connected, s.Since
		},
		Invalidate: e.invalidate,
	})
	return err
}

// Shutdown takes no new lines, lets what is under way finish until ctx ends, and
// hands over what is warm meanwhile.
func (e *Edge) Shutdown(ctx context.Context) error {
	if e.admin != nil {
		e.admin.Stopping()
	}
	e.end()
	var handing sync.WaitGroup
	handing.Go(func() { e.handOver(ctx) })
	err := e.server.Shutdown(ctx)
	handing.Wait()
	e.release()
	return err
}

// release ends what has been started.
func (e *Edge) release() {
	e.end()
	if e.server != nil {
		_ = e.server.Close() // it may not have served
	}
	e.running.Wait()
	if e.admin != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_ = e.admin.Shutdown(ctx) // who still scrapes is cut off
		cancel()
	}
	if e.link != nil {
		e.link.Close()
	}
	e.behind.running.Wait()
	e.reloading.Lock() // whoever still reloads
	defer e.reloading.Unlock()
	e.stopped = true
	if t := e.behind.tier.Load(); t != nil {
		t.Close()
	}
	if e.bus != nil {
		e.bus.Close()
	}
}
