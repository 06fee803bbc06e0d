package admin

import (
	"fmt"
	"net/http"
	"sync"
)

// readiness is whether the tier may be sent who it is for: adapters to an edge, devices to
// a gateway. The zero value has not started yet.
type readiness struct {
	mu sync.Mutex
	// guarded by mu
	ready, stopped bool
	why            string // not; empty: it has not been said
}

// Ready says that the tier may be sent who it is for.
func (s *Server) Ready() { s.ready.set(true, "") }

// NotReady says why the tier may not be sent anybody: "warming up: 1,204 entries
// from tcp://10.0.0.7:7070".
func (s *Server) NotReady(why string) { s.ready.set(false, why) }

// Stopping says that the tier is going away. It is not ready any more, whatever is
// said after that: who warms up need not know.
func (s *Server) Stopping() { s.ready.stopping() }

func (r *readiness) set(ready bool, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready, r.why = ready, why
}

func (r *readiness) stopping() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
}

// state is whether it is ready, in words too.
func (r *readiness) state() (ready bool, words string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stopped:
		return false, "stopping"
	case r.ready:
		return true, "ready"
	case r.why == "":
		return false, "starting"
	}
	return false, r.why
}

func (r *readiness) answer(w http.ResponseWriter, _ *http.Request) {
	ready, words := r.state()
	if !ready {
		http.Error(w, words, http.StatusServiceUnavailable)
		return
	}
	_, _ = fmt.Fprintln(w, words)
}
