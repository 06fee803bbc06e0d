package rsocketgo

import (
	"maps"
	"sync"

	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/frame"
)

// stream is what this side knows of a stream, beside the library.
type stream interface {
	// payload and failed judge a PAYLOAD and an ERROR that has arrived: pass says
	// that the library is to see it.
	payload(f *frame.Frame) (pass bool)
	failed(e *rsocket.Error) (pass bool)

	// broken is told of a payload that can't be taken.
	broken(e *rsocket.Error)

	canceled()
	granted(n uint32)

	// waiting reports whether the library waits for the end of what arrives.
	waiting() bool

	// closed is told, once at most and to whoever is in the table, that the
	// connection has ended; gone, that the library has let go of it too.
	closed(err error)
	gone(err error)
}

// table holds the streams of a connection by their ids. Its zero value is ready.
type table struct {
	// guarded by mu
	mu      sync.Mutex
	of      map[uint32]stream
	unsent  map[uint32]bool // own requests that wait in the library's queue; false: they are not to leave
	over    bool
	arrived []stream // requests that the library has not asked its responder about, in order
}

// put adds a stream; it reports false when the connection has ended. An own one's
// request has not left.
func (t *table) put(id uint32, s stream, own bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return false
	}
	if t.of == nil {
		t.of, t.unsent = map[uint32]stream{}, map[uint32]bool{}
	}
	t.of[id] = s
	if own {
		t.unsent[id] = true
	}
	return true
}

// find returns the stream that a frame of the peer's is for, if there is one. Of
// a request that has not left the peer can't know: the library may not either.
func (t *table) find(id uint32) stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, waits := t.unsent[id]; waits {
		return nil
	}
	return t.of[id]
}

// take removes a stream, if it is still there; once the connection has ended,
// none is.
func (t *table) take(id uint32, s stream) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.of[id] != s {
		return false
	}
	delete(t.of, id)
	return true
}

// hold keeps back an own request that has not left yet. Otherwise the peer has
// to be told that nobody wants the answer.
func (t *table) hold(id uint32) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, waits := t.unsent[id]; waits {
		t.unsent[id] = false
		return true
	}
	return false
}

// leaves is asked when an own request is about to leave.
func (t *table) leaves(id uint32) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	wanted, waits := t.unsent[id]
	delete(t.unsent, id)
	return wanted || !waits
}

// arrive and next are the two ends of the line of requests between the wire and
// the library's responder. The library keeps their order: all of a peer's
// requests pass the same one of its goroutines.
func (t *table) arrive(s stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.arrived = append(t.arrived, s)
}

func (t *table) next() stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.arrived[0]
	t.arrived[0] = nil
	t.arrived = t.arrived[1:]
	return s
}

// close marks the table as over and returns the streams, which stay in it.
func (t *table) close() map[uint32]stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	return maps.Clone(t.of)
}

func isClients(id uint32) bool { return id%2 == 1 }
