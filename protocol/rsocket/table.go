package rsocket

import "sync"

// stream is what the read loop tells a stream of. None of these waits.
type stream interface {
	opened(id uint32) // before anything else, on the requesting side
	payload(p Payload, next, complete bool)
	failed(err *Error)
	broken(err *Error) // the peer broke a rule or a bound; it is to be told
	canceled()
	granted(n uint32)
	closed(err error) // the connection has ended
}

// table holds a connection's streams by id, in shards, so that requests of many
// goroutines and the read loop seldom meet at a lock.
//
// Whoever takes a stream out is the one who ends it.
type table struct{ shards [tableShards]tableShard }

const tableShards = 16

type tableShard struct {
	mu      sync.Mutex
	streams map[uint32]stream // made for the first one
	closed  bool
}

// shard spreads the ids of one side, which are two apart.
func (t *table) shard(id uint32) *tableShard { return &t.shards[id/2%tableShards] }

// put adds a stream, unless its id is in use or the table is closed.
func (t *table) put(id uint32, s stream) bool {
	h := t.shard(id)
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, used := h.streams[id]; used || h.closed {
		return false
	}
	if h.streams == nil {
		h.streams = map[uint32]stream{}
	}
	h.streams[id] = s
	return true
}

func (t *table) find(id uint32) stream {
	h := t.shard(id)
	h.mu.Lock()
	s := h.streams[id]
	h.mu.Unlock()
	return s
}

// take removes a stream if it is still s, and reports whether it was.
func (t *table) take(id uint32, s stream) bool {
	h := t.shard(id)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.streams[id] != s {
		return false
	}
	delete(h.streams, id)
	return true
}

// close takes all streams out and lets no more in.
func (t *table) close() []stream {
	var all []stream
	for i := range t.shards {
		h := &t.shards[i]
		h.mu.Lock()
		for _, s := range h.streams {
			all = append(all, s)
		}
		h.streams, h.closed = nil, true
		h.mu.Unlock()
	}
	return all
}
