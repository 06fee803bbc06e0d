package sample

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	headerTimeout = 5 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10
)

// run is a service from one listen to the close after it. Either stop or drain
// ends it, once.
type run struct {
	server   *http.Server
	cancel   context.CancelFunc // ends the context of every request
	draining chan struct{}
	served   chan struct{} // closed when the accept loop has returned
	err      error         // why it returned, if nobody asked it to; read after served
	conns    sync.WaitGroup

	mu    sync.Mutex
	fresh map[net.Conn]struct{} // connections that no request came on yet
}

// startRun serves on listener with the handler that newHandler makes.
func startRun(listener net.Listener, newHandler func(draining <-chan struct{}) http.Handler) *run {
	ctx, cancel := context.WithCancel(context.Background())
	r := &run{
		cancel:   cancel,
		draining: make(chan struct{}),
		served:   make(chan struct{}),
		fresh:    make(map[net.Conn]struct{}),
	}
	r.server = &http.Server{
		Handler:           newHandler(r.draining),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnState:         r.track,
	}
	go func() {
		defer close(r.served)
		if err := r.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			r.err = err
		}
	}()
	return r
}

// track counts the connections' goroutines, which the server itself doesn't wait
// for. The server reports a new connection before it can return from Serve, so
// once served is closed nothing is added.
func (r *run) track(conn net.Conn, state http.ConnState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if state == http.StateNew {
		r.fresh[conn] = struct{}{}
		r.conns.Add(1)
		return
	}
	delete(r.fresh, conn)
	if state == http.StateClosed {
		r.conns.Done()
	}
}

// stop closes the listener and every connection and waits for the goroutines.
func (r *run) stop() error {
	err := r.server.Close()
	// Only now: a request whose context ends would be answered, and a service that
	// was killed answers nothing.
	r.cancel()
	<-r.served
	r.conns.Wait()
	if err = errors.Join(r.err, err); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// drain closes the listener, wakes the requests that hang, lets the others
// finish and waits for the goroutines. When ctx ends first it does what stop does
// and returns the error of ctx.
func (r *run) drain(ctx context.Context) error {
	close(r.draining)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		<-r.served
		r.closeFresh()
	}()
	err := r.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, r.server.Close())
	}
	r.cancel()
	<-closed
	r.conns.Wait()
	if err = errors.Join(r.err, err); err != nil {
		return fmt.Errorf("shutdown: %w", err)
	}
	return nil
}

// closeFresh closes the connections that no request came on, which the server's
// own shutdown would give another 5 seconds: clients keep such spares.
func (r *run) closeFresh() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for conn := range r.fresh {
		// Its goroutine notices and reports it closed.
		_ = conn.Close()
	}
}
