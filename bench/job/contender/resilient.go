package contender

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// What is usual for a client of HTTP services that stand for each other: a proxy or
// a library would be set so. A library for it would cost this contender more than
// these few lines do.
const (
	httpTries    = 2
	httpTimeout  = 250 * time.Millisecond // of a try
	httpFailures = 5                      // in a row
	httpRest     = time.Second
	httpConns    = 1000 // to a server
)

// resilientHTTP is [Contender.Resilience].
var resilientHTTP = fmt.Sprintf("round robin, for each request; %v for a try; one more try, at another server, after an error of the connection, a timeout, 502, 503 or 504; "+
	"a server that fails %d times in a row is left alone for %v; at most %d connections to each", httpTimeout, httpFailures, httpRest, httpConns)

// dialResilientHTTP is dialHTTP where servers fail.
func dialResilientHTTP(addresses []string, transport *http.Transport) Client {
	transport.MaxConnsPerHost = httpConns
	transport.MaxIdleConnsPerHost = httpConns
	client := &http.Client{Transport: transport}
	var servers httpServers
	for _, a := range addresses {
		servers.all = append(servers.all, &restingServer{httpServer: httpServer{client, "http://" + a}})
	}
	return OneByOne(func(_ context.Context, sealed []byte) (Asker, error) {
		return newHTTPAsker(sealed, servers.get), nil
	})
}

// httpServers stand for each other.
type httpServers struct {
	all  []*restingServer
	turn atomic.Uint64
}

// restingServer is left alone when it fails.
type restingServer struct {
	httpServer
	failures atomic.Int64 // in a row
	until    atomic.Int64 // it rests until this time, in nanoseconds
}

func (h *httpServers) get(ctx context.Context, path string, passport []string) (b []byte, err error) {
	var s *restingServer
	for range httpTries {
		s = h.next(s)
		try, cancel := context.WithTimeout(ctx, httpTimeout)
		b, err = s.get(try, path, passport)
		cancel()
		if err != nil && ctx.Err() != nil {
			return nil, err // nobody's failure
		}
		s.note(err)
		if !again(err) {
			break
		}
	}
	return b, err
}

// next is whose turn it is, of those that don't rest, and not the one that was just
// asked. All that matters less than to have one.
func (h *httpServers) next(not *restingServer) *restingServer {
	turn := h.turn.Load()
	if not == nil {
		turn = h.turn.Add(1)
	}
	at := int(turn % uint64(len(h.all)))
	now := time.Now().UnixNano()
	for _, resting := range []bool{false, true} {
		for i := range h.all {
			if s := h.all[(at+i)%len(h.all)]; s != not && (resting || s.until.Load() <= now) {
				return s
			}
		}
	}
	return h.all[at]
}

func (s *restingServer) note(err error) {
	if !again(err) {
		s.failures.Store(0)
	} else if s.failures.Add(1) >= httpFailures {
		s.until.Store(time.Now().Add(httpRest).UnixNano())
	}
}

// again reports whether another server may do better.
func again(err error) bool {
	if status, ok := errors.AsType[*statusError](err); ok {
		return status.code == http.StatusBadGateway || status.code == http.StatusServiceUnavailable || status.code == http.StatusGatewayTimeout
	}
	return err != nil
}
