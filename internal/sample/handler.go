package sample

import (
	"net/http"
	"time"
)

// answerTimeout is how long a client may take to read an answer.
const answerTimeout = 10 * time.Second

// handler returns what one run of s answers with. Draining closes when the run
// ends gracefully.
func (s *service) handler(draining <-chan struct{}) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := r.URL.Path == controlPath
		if !control {
			s.requests.Add(1)
			s.open.enter()
			defer s.open.leave()
		}
		allowWrite(w)
		if err := readBody(w, r); err != nil {
			writeFailure(w, err)
			return
		}
		mode := ModeOK
		if !control {
			var err error
			mode, err = s.behave(r, draining)
			allowWrite(w)
			if err != nil {
				writeFailure(w, err)
				return
			}
		}
		switch mode {
		case ModeGarbage:
			writeGarbage(w)
		case ModeHuge:
			if writeHuge(w) != nil {
				s.givenUp.Add(1)
			}
		default:
			s.route(w, r)
		}
	})
}

// allowWrite gives the client the full time to read from now on. The server's
// own WriteTimeout would count the time that a request hangs.
func allowWrite(w http.ResponseWriter) {
	// It fails where the connection is gone, and then writing fails too.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTimeout))
}

// behave does to a request what the behaviour says: it returns when the request
// is to be answered, with the mode or the error to answer with.
func (s *service) behave(r *http.Request, draining <-chan struct{}) (Mode, error) {
	ctx := r.Context()
	for {
		mode, latency, changed := s.current.get()
		if mode == ModeHang {
			select {
			case <-changed:
				continue
			case <-draining:
				return mode, unavailable("%s is closing", s.name)
			case <-ctx.Done():
				return mode, s.gone()
			}
		}
		if err := delay(ctx, latency); err != nil {
			return mode, s.gone()
		}
		if mode == ModeFail || mode == ModeHalf && s.current.second() {
			return mode, unavailable("%s is failing", s.name)
		}
		return mode, nil
	}
}

// gone is answered where most likely nobody listens: without it a client that
// has only closed its sending half would get an empty 200.
func (s *service) gone() error {
	s.givenUp.Add(1)
	return unavailable("%s: the request was given up", s.name)
}

// route passes the request to its endpoint, and turns what the mux itself
// answers, plain text, into JSON.
func (s *service) route(w http.ResponseWriter, r *http.Request) {
	own, pattern := s.mux.Handler(r)
	if pattern != "" {
		s.mux.ServeHTTP(w, r)
		return
	}
	probe := probe{header: make(http.Header)}
	own.ServeHTTP(&probe, r)
	if probe.status != http.StatusMethodNotAllowed {
		writeFailure(w, notFound("%s has no %q", s.name, clip(r.URL.Path)))
		return
	}
	allow := probe.header.Get("Allow")
	w.Header().Set("Allow", allow)
	writeFailure(w, &failure{
		http.StatusMethodNotAllowed,
		"method_not_allowed",
		r.Method + " on " + clip(r.URL.Path) + ": expected " + allow,
	})
}

// probe is a response writer that keeps the status and the header only.
type probe struct {
	header http.Header
	status int
}

// Header implements [http.ResponseWriter].
func (p *probe) Header() http.Header { return p.header }

// WriteHeader implements [http.ResponseWriter].
func (p *probe) WriteHeader(status int) { p.status = status }

// Write implements [http.ResponseWriter].
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
